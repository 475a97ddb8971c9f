import { expect, test } from 'vitest';
import { eventBusContract } from './event-bus.contract.ts';
import { createMemoryEventBus } from './event-bus-memory.ts';

eventBusContract('the memory bus', async () => {
  const bus = createMemoryEventBus();
  return {
    near: bus,
    // One object plays both handles; its drops must not be counted twice.
    far: { ...bus, dropped: 0 },
    publishBroken: async (subject) => bus.publish(subject, 1n),
    async [Symbol.asyncDispose]() {},
  };
});

test('past its bound the queue drops events and counts them', async () => {
  const bus = createMemoryEventBus({ maxQueued: 2 });
  const received: unknown[] = [];
  bus.subscribe('s', (payload) => void received.push(payload));
  for (let index = 0; index < 5; index += 1) bus.publish('s', index);
  expect(received).toEqual([]);
  await bus.flush();
  expect(received).toEqual([0, 1]);
  expect(bus.dropped).toBe(3);
});

test('the owner hears of handlers that throw', async () => {
  const failures: unknown[] = [];
  const bus = createMemoryEventBus({
    onHandlerError: (error, subject) => void failures.push([subject, String(error)]),
  });
  bus.subscribe('s', () => {
    throw new Error('broken');
  });
  bus.publish('s', 1);
  await bus.flush();
  expect(failures).toEqual([['s', 'Error: broken']]);
});

test('subscribers share nothing by reference', async () => {
  const bus = createMemoryEventBus();
  const received: { list: number[] }[] = [];
  const keep = (payload: unknown) => {
    const value = payload as { list: number[] };
    value.list.push(2);
    received.push(value);
  };
  bus.subscribe('s', keep);
  bus.subscribe('s', keep);
  const sent = { list: [1] };
  bus.publish('s', sent);
  sent.list.push(9);
  await bus.flush();
  expect(received).toEqual([{ list: [1, 2] }, { list: [1, 2] }]);
});
