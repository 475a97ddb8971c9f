import type { Message, ReactionType, UserId } from '@bambochat/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import type { MessageStore } from './message-store.ts';
import {
  newConversationId,
  newMessageId,
  newUserId,
  sampleMessage,
  sampleRun,
} from './sample-records.fixture.ts';

let requests = 0;

/** A step under a request id of its own. */
export function reaction(userId: UserId, type: ReactionType = 'like') {
  requests += 1;
  return { userId, type, requestId: `request-${requests}` };
}

/** What every message store must do with reactions and look-ups of single messages. */
export function reactionsContract(doors: () => readonly [MessageStore, MessageStore]): void {
  let store: MessageStore;
  let other: MessageStore;
  beforeAll(() => {
    [store, other] = doors();
  });

  async function stored(change: Partial<Message> = {}): Promise<Message> {
    const message = sampleMessage(change);
    await store.insert([message]);
    return message;
  }
  const react = (
    { conversationId, _id }: Message,
    step: ReturnType<typeof reaction>,
    door = store,
  ) => door.react(conversationId, _id, step);
  const read = async ({ conversationId, _id }: Message) =>
    (await other.reactionsTo(conversationId, [_id])).get(_id);

  describe('reactions', () => {
    test('are put, replaced and taken back, the last one last', async () => {
      const message = await stored({ seq: 7 });
      const [ann, bob] = [newUserId(), newUserId()];
      expect(await react(message, reaction(ann))).toEqual({
        seq: 7,
        reactions: [{ userId: ann, type: 'like' }],
      });
      await react(message, reaction(bob, 'sad'));
      expect(await react(message, reaction(ann, 'love'))).toEqual({
        seq: 7,
        reactions: [
          { userId: bob, type: 'sad' },
          { userId: ann, type: 'love' },
        ],
      });
      await react(message, reaction(bob, 'sad'));
      expect(await read(message)).toEqual([{ userId: ann, type: 'love' }]);
    });

    test('are seen with the message by every read, and nothing else of them is', async () => {
      const message = await stored();
      const ann = newUserId();
      await react(message, reaction(ann));
      const shown = { ...message, reactions: [{ userId: ann, type: 'like' }] };
      const { conversationId } = message;
      expect(await store.page(conversationId, { limit: 5 })).toStrictEqual([shown]);
      expect(await store.page(conversationId, { after: 0, limit: 5 })).toStrictEqual([shown]);
      expect(await store.findByClientMessageIds([message])).toStrictEqual([shown]);
    });

    test('do not toggle again when a request is repeated, however late', async () => {
      const message = await stored();
      const [ann, bob] = [newUserId(), newUserId()];
      const steps = [reaction(ann), reaction(ann), reaction(ann, 'haha')];
      for (const step of steps) {
        await react(message, step);
      }
      await react(message, reaction(bob));
      const now = [
        { userId: ann, type: 'haha' },
        { userId: bob, type: 'like' },
      ];
      for (const step of [...steps, ...steps.toReversed()]) {
        expect(await react(message, step, other)).toEqual({ seq: message.seq, reactions: now });
      }
      await react(message, reaction(ann, 'haha'));
      for (const step of steps) {
        expect(await react(message, step)).toMatchObject({
          reactions: [{ userId: bob, type: 'like' }],
        });
      }
    });

    test('remember the last 8 requests of each user', async () => {
      const message = await stored();
      const ann = newUserId();
      const steps = Array.from({ length: 9 }, () => reaction(ann));
      for (const step of steps) {
        await react(message, step);
      }
      const on = [{ userId: ann, type: 'like' }];
      for (const step of steps.slice(1)) {
        expect(await react(message, step)).toMatchObject({ reactions: on });
      }
    });

    test('made at once by many are all there, each toggled once', async () => {
      const message = await stored();
      const users = Array.from({ length: 12 }, () => newUserId());
      const steps = users.map((userId) => reaction(userId));
      await Promise.all(
        [...steps, ...steps].map((step, index) => react(message, step, index % 2 ? store : other)),
      );
      const found = (await read(message)) ?? [];
      expect(found.map(({ userId }) => userId).sort()).toEqual(users.toSorted());
    });

    test('of one user made at once by several devices are toggled as often as they are made', async () => {
      const message = await stored();
      const ann = newUserId();
      await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          react(message, reaction(ann), index % 2 ? store : other),
        ),
      );
      expect(await read(message)).toEqual([{ userId: ann, type: 'like' }]);
    });

    test('to a message that this conversation does not have are refused', async () => {
      const message = await stored();
      const step = reaction(newUserId());
      expect(await store.react(newConversationId(), message._id, step)).toBe('absent');
      expect(await store.react(message.conversationId, newMessageId(), step)).toBe('absent');
      expect(await read(message)).toEqual([]);
      expect((await store.reactionsTo(newConversationId(), [message._id])).size).toBe(0);
    });
  });

  test('idsOf, conversationOf and headPositions tell where messages are', async () => {
    const run = sampleRun(newConversationId(), 1, 40);
    await store.insert(run);
    const [first, second] = run as [Message, Message];
    const { conversationId } = first;
    const ids = await store.idsOf(conversationId, [1, 40, 41, 1, ...run.map(({ seq }) => seq)]);
    expect(ids).toEqual(new Map(run.map(({ seq, _id }) => [seq, _id])));
    expect((await store.idsOf(newConversationId(), [1])).size).toBe(0);
    expect(await other.conversationOf(second._id)).toBe(conversationId);
    expect(await store.conversationOf(newMessageId())).toBeNull();
    const positions = await store.headPositions([conversationId, newConversationId()]);
    const { createdAt } = run.at(-1) as Message;
    expect(positions).toEqual(
      new Map([[conversationId, { lastSeq: 40, senderId: 'sender', createdAt }]]),
    );
  });
}
