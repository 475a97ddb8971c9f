import { setTimeout as delay } from 'node:timers/promises';
import { createLogger } from '@bambochat/runtime';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import {
  fixtureCommand,
  isRunning,
  type TestSurroundings,
  testSurroundings,
} from './service-process-fixture.ts';
import { type RestartPolicy, superviseService } from './supervised-service.ts';

const never = new Promise<never>(() => {});
const swift: RestartPolicy = { firstDelay: 5, maxDelay: 20, maxFailures: 3, goodAfter: 60_000 };

function supervise(
  surroundings: TestSurroundings,
  restart: RestartPolicy | null,
  behaviour?: 'stubborn' | 'mortal',
) {
  return superviseService({
    command: fixtureCommand(behaviour),
    surroundings,
    restart,
    logger: createLogger({
      name: 'stack',
      level: 'info',
      stream: { write: (line) => surroundings.log(line) },
    }),
  });
}

function messages(surroundings: TestSurroundings): unknown[] {
  return surroundings.lines.map(({ msg }) => msg);
}

describe('a supervised service', () => {
  it('stops when told, and is no death then', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, swift);
    await service.start();
    const { pid } = service.listing;
    expect(await service.stop(never)).toBe(true);
    expect(isRunning(Number(pid))).toBe(false);
    expect(service.target).toBeNull();
    expect(messages(surroundings)).not.toContain('service died');
  });

  it('is killed when it does not stop in time', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, null, 'stubborn');
    await service.start();
    const { pid } = service.listing;
    expect(await service.stop(delay(100))).toBe(false);
    expect(isRunning(Number(pid))).toBe(false);
  });

  it('stops even while it is suspended', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, null);
    await service.start();
    process.kill(Number(service.listing.pid), 'SIGSTOP');
    expect(await service.stop(never)).toBe(true);
  });

  it('that dies is logged and stays down', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, null);
    await service.start();
    const { pid, url } = service.listing;
    process.kill(Number(pid), 'SIGKILL');
    await waitFor(() => messages(surroundings).includes('service died'));
    expect(surroundings.lines.at(-1)).toMatchObject({
      level: 50,
      instance: 'fixture-1',
      diedPid: pid,
      code: null,
      signal: 'SIGKILL',
    });
    expect(service.target).toBeNull();
    expect(service.listing).toEqual({ url, pid: null });
    expect(await service.stop(never)).toBe(true);
  });

  it('that dies is started again when that is wanted, in the same place', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, swift);
    await service.start();
    const { listing, target } = service;
    process.kill(Number(listing.pid), 'SIGKILL');
    await waitFor(() => service.target !== null && service.target !== target);
    expect(service.listing.pid).not.toBe(listing.pid);
    expect(await (await fetch(service.target?.url ?? '')).text()).toBe(String(service.listing.pid));
    expect(await service.stop(never)).toBe(true);
  });

  it('that keeps dying stays down in the end', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, swift, 'mortal');
    await service.start();
    await waitFor(() => messages(surroundings).includes('service keeps dying and stays down'));
    expect(messages(surroundings).filter((msg) => msg === 'service died').length).toBe(4);
    expect(await service.stop(never)).toBe(true);
  });

  it('stops while it waits to be started again', async () => {
    using surroundings = testSurroundings();
    const service = supervise(surroundings, { ...swift, firstDelay: 60_000, maxDelay: 60_000 });
    await service.start();
    process.kill(Number(service.listing.pid), 'SIGKILL');
    await waitFor(() => messages(surroundings).includes('service died'));
    expect(await service.stop(never)).toBe(true);
    expect(service.target).toBeNull();
  });
});
