import { waitFor } from '@bambochat/testing';
import { expect } from 'vitest';
import { expectDense, type Message } from './contract-shapes.ts';
import type { Person } from './person.ts';
import type { RetryingSender } from './retrying-sender.ts';

/**
 * What must hold after every fault, once all senders have finished: all that was sent is stored
 * exactly once, as it was confirmed, in one dense order.
 */
export async function expectNothingLost(
  reader: Person,
  conversationId: string,
  senders: readonly RetryingSender[],
): Promise<Message[]> {
  const history = await reader.history(conversationId);
  expectDense(history);
  const stored = new Map(history.map((message) => [message.clientMessageId, message]));
  expect(stored.size).toBe(history.length);
  for (const { attempted, confirmed } of senders) {
    expect([...attempted].filter((name) => !stored.has(name))).toEqual([]);
    for (const [name, message] of confirmed) {
      expect(stored.get(name)).toStrictEqual(message);
    }
  }
  return history;
}

/** Waits until load is really under way. */
export async function awaitLoad(senders: readonly RetryingSender[], each: number): Promise<void> {
  const before = senders.map(({ confirmed }) => confirmed.size);
  await waitFor(
    () => senders.every(({ confirmed }, index) => confirmed.size >= (before[index] ?? 0) + each),
    { describe: `${each} more confirmed messages of every sender`, timeout: 60_000 },
  );
}
