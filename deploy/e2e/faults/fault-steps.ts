import { setTimeout as delay } from 'node:timers/promises';
import type { Backend, BackendName } from '@bambochat/testing';
import type { StackTarget } from '../src/stack-target.ts';
import type { FaultContext } from './fault.ts';

/** A fault lasts for as long as its name says. */
export function elapsed(milliseconds: number): Promise<void> {
  return delay(milliseconds);
}

export function stackOf({ system }: FaultContext): StackTarget {
  if (system.stack === null) {
    throw new Error('this fault needs the stack');
  }
  return system.stack;
}

export function backendOf({ system }: FaultContext, name: BackendName): Backend {
  if (system.backends === null) {
    throw new Error('this fault needs back ends');
  }
  return system.backends[name];
}

/** Commands that this message-service was given which somebody had been given before. */
export function redeliveries(url: string): Promise<number> {
  return metric(url, 'bambochat_command_redeliveries_total');
}

/** The sum of all samples of a metric of one service; 0 when there are none. */
export async function metric(url: string, name: string): Promise<number> {
  const response = await fetch(new URL('/metrics', url), { signal: AbortSignal.timeout(10_000) });
  const samples = (await response.text())
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
