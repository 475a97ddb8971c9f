import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@bambochat/testing';
import type { Program } from '../src/program.ts';
import { raisedLimits } from '../src/raised-limits.ts';
import { type StackTarget, startStack } from '../src/stack-target.ts';
import { standaloneAddresses, startStandaloneProgram } from '../src/standalone-target.ts';
import { presenceDefaults } from '../src/target.ts';
import { startExtraMember } from './extra-member.ts';
import type { ExtraMember, StandaloneProcess, System } from './fault.ts';

/** The distributed system whose services come back when they die. */
export async function startStackSystem(): Promise<System> {
  return stackSystem(await startStack({ restart: true }));
}

/** @param stack ends with the system */
export function stackSystem(stack: StackTarget): System {
  const extra: ExtraMember[] = [];
  return {
    target: stack,
    stack,
    backends: stack.backends,
    standalone: null,
    async startMember(kind, env = {}, through = []) {
      const member = await startExtraMember({
        kind,
        through,
        env: {
          ...raisedLimits,
          HOST: '127.0.0.1',
          PORT: '0',
          JWT_SECRET: stack.tokenSecret ?? '',
          MONGODB_URL: stack.backends.mongodb.url,
          REDIS_URL: stack.backends.redis.url,
          NATS_URL: stack.backends.nats.url,
          ...env,
        },
      });
      extra.push(member);
      return member;
    },
    async [Symbol.asyncDispose]() {
      for (const { pid } of extra) {
        endNow(pid);
      }
      await Promise.all(extra.map(({ exited }) => exited));
      await stack[Symbol.asyncDispose]();
    },
  };
}

/** One process on embedded engines. @param dataDir kept; absent: a temporary one, removed at the end */
export async function startStandaloneSystem(dataDir?: string): Promise<System> {
  const folder = dataDir ?? (await mkdtemp(join(tmpdir(), 'bambochat-faults-')));
  const port = await freePort();
  const start = () => startStandaloneProgram({ dataDir: folder, port, env: raisedLimits });
  let program: Program = await start();
  const standalone: StandaloneProcess = {
    get program() {
      return program;
    },
    dataDir: folder,
    async kill() {
      program.signal('SIGKILL');
      await program.exited;
    },
    async restart() {
      program = await start();
    },
  };
  return {
    target: {
      ...standaloneAddresses(String(program.ready.url)),
      tokenSecret: null,
      presence: presenceDefaults,
      get outputs() {
        return [program.output];
      },
      async [Symbol.asyncDispose]() {},
    },
    stack: null,
    backends: null,
    standalone,
    startMember() {
      return Promise.reject(new Error('Standalone is one process'));
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
      if (dataDir === undefined) {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended before.
  }
}
