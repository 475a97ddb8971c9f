import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { type ConversationId, subjects, type UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { createMembershipCache, type MemberPair } from './membership-cache.ts';
import { newConversationId } from './message-fixture.ts';

function directoryOf(members: Set<string>) {
  const asked: MemberPair[][] = [];
  return {
    asked,
    load: async (pairs: readonly MemberPair[]) => {
      asked.push([...pairs]);
      return pairs.map(({ conversationId, userId }) => members.has(`${conversationId}:${userId}`));
    },
  };
}

const alice = 'alice' as UserId;
const pair = (conversationId: ConversationId, userId = alice) => ({ conversationId, userId });

test('asks once, remembers both yes and no, and keeps the order', async () => {
  const bus = createMemoryEventBus();
  const [ours, theirs] = [newConversationId(), newConversationId()];
  const directory = directoryOf(new Set([`${ours}:alice`]));
  const cache = createMembershipCache({ ...directory, bus, max: 100, ttl: 60_000 });
  expect(await cache.areMembers([pair(theirs), pair(ours), pair(ours)])).toEqual([
    false,
    true,
    true,
  ]);
  expect(await cache.areMembers([pair(ours), pair(theirs)])).toEqual([true, false]);
  expect(directory.asked).toHaveLength(1);
  expect(directory.asked[0]).toHaveLength(2);
});

test('an announced change is asked for again', async () => {
  const bus = createMemoryEventBus();
  const conversationId = newConversationId();
  const members = new Set([`${conversationId}:alice`]);
  const cache = createMembershipCache({ ...directoryOf(members), bus, max: 100, ttl: 60_000 });
  expect(await cache.areMembers([pair(conversationId)])).toEqual([true]);
  members.clear();
  bus.publish(subjects.membersChanged, { conversationId, added: [], removed: ['alice'] });
  await bus.flush();
  await waitFor(async () => (await cache.areMembers([pair(conversationId)]))[0] === false);
});

test('an answer read before a change is not remembered after it', async () => {
  const bus = createMemoryEventBus();
  const conversationId = newConversationId();
  const answer = Promise.withResolvers<boolean[]>();
  let loads = 0;
  const cache = createMembershipCache({
    load: async () => {
      loads += 1;
      return loads === 1 ? answer.promise : [false];
    },
    bus,
    max: 100,
    ttl: 60_000,
  });
  const early = cache.areMembers([pair(conversationId)]);
  bus.publish(subjects.membersChanged, { conversationId, added: [], removed: ['alice'] });
  await bus.flush();
  answer.resolve([true]);
  await early;
  expect(await cache.areMembers([pair(conversationId)])).toEqual([false]);
});

test('asks for no more than 500 pairs at a time', async () => {
  const bus = createMemoryEventBus();
  const directory = directoryOf(new Set());
  const cache = createMembershipCache({ ...directory, bus, max: 2000, ttl: 60_000 });
  await cache.areMembers(Array.from({ length: 1201 }, () => pair(newConversationId())));
  expect(directory.asked.map((pairs) => pairs.length)).toEqual([500, 500, 201]);
});
