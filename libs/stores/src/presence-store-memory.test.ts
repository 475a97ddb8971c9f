import { expect, test } from 'vitest';
import { createMemoryPresenceStore } from './memory.ts';
import { presenceStoreContract } from './presence-store.contract.ts';
import { durations } from './presence-world.fixture.ts';

presenceStoreContract('memory', async (clock) => {
  let store = createMemoryPresenceStore({ durations, clock });
  return {
    doors: () => [store, store],
    empty: async () => {
      store = createMemoryPresenceStore({ durations, clock });
    },
    users: async () => store.users,
    close: () => store.close(),
  };
});

test('without a clock of its own it goes by the real time', async () => {
  const store = createMemoryPresenceStore({ durations: { ...durations, warmUp: 0 } });
  const before = Date.now();
  await store.sweep({ aliveAt: before - 1_000, limit: 10 });
  await store.declareLost([]);
  await store.settle();
  const entry = ['anna', 7] as never;
  await store.report({
    gatewayId: 'g1' as never,
    number: 1,
    connected: [entry],
    disconnected: [],
    digest: { users: 1, sum: 7 },
  });
  const [claim] = await store.claim(1);
  expect(claim?.seenAt).toBeGreaterThanOrEqual(before);
  expect(claim?.seenAt).toBeLessThanOrEqual(Date.now());
  await store.close();
});
