import { conversationIdSchema, userIdSchema } from '@bambochat/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conversationIdOf, conversationRoom, userRoom } from './room-names.ts';

const userIds = fc.stringMatching(/^[A-Za-z0-9_.-]{1,50}$/).map((id) => userIdSchema.parse(id));
const conversationIds = fc
  .uuid({ version: 7 })
  .map((id) => conversationIdSchema.parse(id.toLowerCase()));

const longName = (length: number) => userIdSchema.parse('u'.repeat(length));

test('no room name has the length of a socket id', () => {
  fc.assert(fc.property(userIds, (id) => userRoom(id).length !== 20));
  fc.assert(fc.property(conversationIds, (id) => conversationRoom(id).length !== 20));
  for (let length = 1; length <= 50; length += 1) {
    expect(userRoom(longName(length))).not.toHaveLength(20);
  }
});

test('two ids never share a room', () => {
  const near = fc.oneof(
    fc.tuple(userIds, userIds).map(([a, b]) => [a, b] as const),
    // Lengths around the one that is named in another way.
    fc
      .tuple(fc.integer({ min: 13, max: 17 }), fc.integer({ min: 13, max: 17 }))
      .map(([a, b]) => [longName(a), longName(b)] as const),
  );
  fc.assert(fc.property(near, ([a, b]) => (a === b) === (userRoom(a) === userRoom(b))));
  fc.assert(
    fc.property(conversationIds, conversationIds, (a, b) =>
      a === b ? true : conversationRoom(a) !== conversationRoom(b),
    ),
  );
  fc.assert(
    fc.property(
      userIds,
      conversationIds,
      (user, conversation) => userRoom(user) !== conversationRoom(conversation),
    ),
  );
});

test('a conversation is found by its room, and nothing else is taken for one', () => {
  fc.assert(fc.property(conversationIds, (id) => conversationIdOf(conversationRoom(id)) === id));
  fc.assert(fc.property(userIds, (id) => conversationIdOf(userRoom(id)) === null));
  expect(conversationIdOf('Zk3vX-_4bWc1AAAB_x9-')).toBeNull();
});
