import type { MessageId } from '@bambochat/protocol';
import { messageIdSchema } from '@bambochat/protocol';
import { expect, test } from 'vitest';
import { createMessageIds } from './message-ids.ts';

test('ids rise within one process', () => {
  const ids = createMessageIds();
  let previous: MessageId | null = null;
  for (let count = 0; count < 10_000; count += 1) {
    const next = ids.after(previous);
    expect(previous === null || next > previous).toBe(true);
    previous = next;
  }
  expect(messageIdSchema.safeParse(previous).success).toBe(true);
});

test('an id follows a predecessor whose clock was an hour ahead', () => {
  const ids = createMessageIds();
  const ahead = (Date.now() + 3_600_000).toString(16).padStart(12, '0');
  let previous = `${ahead.slice(0, 8)}-${ahead.slice(8)}-7fff-bfff-ffffffffffff` as MessageId;
  for (let count = 0; count < 100; count += 1) {
    const next = ids.after(previous);
    expect(next > previous).toBe(true);
    expect(messageIdSchema.safeParse(next).success).toBe(true);
    previous = next;
  }
});
