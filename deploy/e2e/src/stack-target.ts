import { randomBytes } from 'node:crypto';
import type { Backends } from '@bambochat/testing';
import { startBackends } from '@bambochat/testing';
import { type Program, startProgram } from './program.ts';
import { raisedLimits } from './raised-limits.ts';
import type { Target } from './target.ts';

/** One process as the ready line lists it. */
export interface Member {
  readonly url: string;
  readonly pid: number;
}

/** The distributed system, with what a case needs to break it. */
export interface StackTarget extends Target {
  readonly program: Program;
  readonly gateways: readonly Member[];
  readonly messageServices: readonly Member[];
  readonly backends: Backends;
}

/** How many of each; the others are there once. */
export interface StackSize {
  readonly gateways: number;
  readonly messageServices: number;
}

/** `npm run stack` on real back ends of its own. */
export async function startStack(
  size: StackSize = { gateways: 2, messageServices: 2 },
): Promise<StackTarget> {
  const backends = await startBackends({ own: true });
  try {
    return await startStackOn(backends, size);
  } catch (error) {
    await backends.stop();
    throw error;
  }
}

async function startStackOn(backends: Backends, size: StackSize): Promise<StackTarget> {
  const tokenSecret = randomBytes(48).toString('base64url');
  const program = await startProgram(
    'deploy/stack/src/main.ts',
    [
      ['--gateways', String(size.gateways)],
      ['--message-services', String(size.messageServices)],
      ['--history-services', '1'],
      ['--port', '0'],
      ['--json'],
    ].flat(),
    {
      ...raisedLimits,
      JWT_SECRET: tokenSecret,
      MONGODB_URL: backends.mongodb.url,
      REDIS_URL: backends.redis.url,
      NATS_URL: backends.nats.url,
    },
  );
  const edge = (program.ready.edge as { url: string }).url;
  const gateways = members(program, 'gateways');
  const messageServices = members(program, 'messageServices');
  const historyServices = members(program, 'historyServices');
  const directoryServices = members(program, 'directoryServices');
  const gatewayUrls = urlsOf(gateways);
  const [first, ...others] = gatewayUrls;
  if (first === undefined || gatewayUrls.length !== size.gateways) {
    throw new Error(`The stack was asked for ${size.gateways} gateways`);
  }
  return {
    name: `stack at ${edge}`,
    restUrl: edge,
    gatewayUrls: [first, ...others],
    socketUrls: [...gatewayUrls, edge],
    restServiceUrls: urlsOf([...historyServices, ...directoryServices]),
    operationsUrls: urlsOf([
      ...gateways,
      ...messageServices,
      ...historyServices,
      ...directoryServices,
    ]),
    tokenSecret,
    outputs: [program.output],
    program,
    gateways,
    messageServices,
    backends,
    async [Symbol.asyncDispose]() {
      await program.stop();
      await backends.stop();
    },
  };
}

function members(program: Program, kind: string): readonly Member[] {
  return program.ready[kind] as Member[];
}

function urlsOf(list: readonly Member[]): string[] {
  return list.map(({ url }) => url);
}
