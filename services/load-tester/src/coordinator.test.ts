import { once } from 'node:events';
import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Coordinator, type CoordinatorOptions, WorkerLostError } from './coordinator.ts';
import { joinCoordinator } from './worker-connection.ts';
import type { Order, Progress, Report } from './worker-protocol.ts';

const token = 'shared-by-all-of-a-run';
const check: Order = { kind: 'check', stored: [] };

function listen(options: Partial<CoordinatorOptions> = {}) {
  return Coordinator.listen({
    host: '127.0.0.1',
    port: 0,
    token,
    workers: 2,
    joinWithin: 20_000,
    ...options,
  });
}

/** A worker in this process, whose clock is `ahead` ms ahead and who answers all but `mute` orders. */
async function join(port: number, options: { ahead?: number; mute?: string; token?: string } = {}) {
  const orders: Order[] = [];
  const ends: string[] = [];
  const connection = await joinCoordinator(
    { coordinator: `127.0.0.1:${port}`, token: options.token ?? token, joinWithin: 20_000 },
    {
      order(order) {
        orders.push(order);
        if (order.kind === 'clock') {
          const now = performance.timeOrigin + performance.now() + (options.ahead ?? 0);
          connection.say({ kind: 'time', now });
        } else if (order.kind !== options.mute) {
          connection.say({ kind: 'checked' } as Report);
        }
      },
      bye: () => ends.push('bye'),
      gone: (why) => ends.push(why),
    },
  );
  return { orders, ends, say: connection.say };
}

/** A worker that says it is there, and nothing more. */
async function joinMutely(port: number, options: { autoPong?: boolean } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
    headers: { authorization: `Bearer ${token}` },
    ...options,
  });
  await once(socket, 'open');
  socket.send(JSON.stringify({ kind: 'joined', host: 'elsewhere', pid: 1 }));
  return socket;
}

test('all are told together, their progress is heard, and they are let go', async () => {
  const heard: [number, Progress][] = [];
  await using coordinator = await listen({
    onProgress: (worker, progress) => heard.push([worker, progress]),
  });
  const workers = [await join(coordinator.port), await join(coordinator.port)];
  await coordinator.joined();
  expect(await coordinator.order(() => check, 'checked')).toHaveLength(2);
  workers[1]?.say({ kind: 'progress', open: 7, second: null, tally: null });
  await waitFor(() => heard.length === 1);
  expect(heard).toMatchObject([[1, { open: 7 }]]);
  coordinator.finish();
  await waitFor(() => workers.every(({ ends }) => ends.length === 1));
  expect(workers.map(({ ends }) => ends)).toEqual([['bye'], ['bye']]);
});

test('clocks that differ are known', async () => {
  await using coordinator = await listen();
  await join(coordinator.port, { ahead: 5000 });
  await join(coordinator.port, { ahead: -3000 });
  const uncertainty = await coordinator.joined();
  const off = [0, 1].map((worker) => coordinator.clockOffset(worker));
  expect(Math.abs((off[0] ?? 0) + 5000)).toBeLessThanOrEqual(uncertainty + 1);
  expect(Math.abs((off[1] ?? 0) - 3000)).toBeLessThanOrEqual(uncertainty + 1);
});

describe('a run fails, and all workers learn of it', () => {
  test('when one goes in the middle of an order', async () => {
    const coordinator = await listen();
    const stays = await join(coordinator.port);
    const goes = await joinMutely(coordinator.port);
    goes.on('message', (data: Buffer) => {
      const { kind } = JSON.parse(data.toString());
      if (kind === 'clock') {
        goes.send(JSON.stringify({ kind: 'time', now: 0 }));
      } else {
        goes.terminate();
      }
    });
    await coordinator.joined();
    const ordered = coordinator.order(() => check, 'checked');
    const failure = expect(ordered).rejects.toThrow('Worker 2 (elsewhere, pid 1) has gone');
    await failure;
    await expect(ordered).rejects.toBeInstanceOf(WorkerLostError);
    await coordinator[Symbol.asyncDispose]();
    await waitFor(() => stays.ends.length === 1);
    expect(stays.ends[0]).toContain('The coordinator has gone');
  });

  test('when one fails, with what it said', async () => {
    await using coordinator = await listen();
    await join(coordinator.port);
    const fails = await join(coordinator.port, { mute: 'check' });
    await coordinator.joined();
    const ordered = coordinator.order(() => check, 'checked');
    fails.say({ kind: 'failed', message: '3 sockets did not come back' });
    await expect(ordered).rejects.toThrow(/^Worker 2 \(.+\): 3 sockets did not come back$/);
  });

  test('when one hangs', async () => {
    await using coordinator = await listen({ workers: 1, silenceMax: 100 });
    const hangs = await joinMutely(coordinator.port, { autoPong: false });
    await expect(coordinator.joined()).rejects.toThrow('has been silent for 0.1 s');
    hangs.terminate();
  });

  test('when not all come', async () => {
    await using coordinator = await listen({ joinWithin: 50 });
    await join(coordinator.port);
    await expect(coordinator.joined()).rejects.toThrow('Only 1 of 2 workers have joined');
  });

  test('when a process of this machine ends before it joins', async () => {
    await using coordinator = await listen();
    coordinator.processEnded('The process 7 that holds sockets has ended (SIGKILL)');
    await expect(coordinator.joined()).rejects.toThrow('process 7');
  });
});

test('who does not know the token stays outside, and is told at once', async () => {
  await using coordinator = await listen();
  await expect(join(coordinator.port, { token: 'another' })).rejects.toThrow('401');
});

test('one too many is sent away', async () => {
  await using coordinator = await listen({ workers: 1 });
  await join(coordinator.port);
  await coordinator.joined();
  const late = await join(coordinator.port);
  await waitFor(() => late.ends.length === 1);
  expect(late.ends).toEqual(['All workers are here already']);
  await coordinator.order(() => check, 'checked');
});
