import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@bambochat/testing';
import { type Program, startProgram } from './program.ts';
import { raisedLimits } from './raised-limits.ts';
import { presenceDefaults, type Target } from './target.ts';

/** `npm start` on a free port. */
export function startStandaloneProgram(options: {
  dataDir: string;
  port: number;
  env?: Record<string, string>;
}): Promise<Program> {
  return startProgram('deploy/standalone/src/main.ts', ['--json'], {
    HOST: '127.0.0.1',
    PORT: String(options.port),
    DATA_DIR: options.dataDir,
    ...options.env,
  });
}

/** One process on embedded engines. @param limits what it is given instead of raised limits */
export async function startStandalone(
  limits: Record<string, string> = raisedLimits,
): Promise<Target> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bambochat-e2e-'));
  const tokenSecret = randomBytes(48).toString('base64url');
  const program = await startStandaloneProgram({
    dataDir,
    port: await freePort(),
    env: { JWT_SECRET: tokenSecret, ...limits },
  });
  return {
    ...standaloneAddresses(String(program.ready.url)),
    tokenSecret,
    presence: presenceDefaults,
    outputs: [program.output],
    async [Symbol.asyncDispose]() {
      await program.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A deployment that has one address for everything. */
export function standaloneAddresses(url: string) {
  return {
    name: `standalone at ${url}`,
    restUrl: url,
    gatewayUrls: [url],
    socketUrls: [url],
    restServiceUrls: [url],
    operationsUrls: [url],
  } as const;
}
