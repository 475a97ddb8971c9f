import { beforeAll, describe, expect, test } from 'vitest';
import { type DirectoryDoors, twentyAtOnce } from './directory-doors.fixture.ts';
import type { DirectoryStore } from './directory-store.ts';
import { newConversationId, newUserId, sampleMembership } from './sample-records.fixture.ts';

/** What every directory store must do with read marks. */
export function readMarksContract(doors: DirectoryDoors): void {
  let store: DirectoryStore;
  let other: DirectoryStore;
  beforeAll(() => {
    [store, other] = doors();
  });

  describe('read marks', () => {
    async function member(readSeq: number) {
      const membership = sampleMembership({ readSeq });
      await store.addParticipants([membership]);
      return membership;
    }

    test('move forward, never back', async () => {
      const { conversationId, userId } = await member(3);
      const mark = (seq: number) => other.markRead(conversationId, userId, seq);
      expect(await mark(5)).toEqual({ moved: true, readSeq: 5 });
      expect(await mark(5)).toEqual({ moved: false, readSeq: 5 });
      expect(await mark(4)).toEqual({ moved: false, readSeq: 5 });
      expect(await mark(1)).toEqual({ moved: false, readSeq: 5 });
      expect(await store.membership(conversationId, userId)).toMatchObject({ readSeq: 5 });
    });

    test('end at the greatest when they are set at once', async () => {
      const { conversationId, userId } = await member(0);
      const outcomes = await twentyAtOnce(doors(), (door, index) =>
        door.markRead(conversationId, userId, ((index * 7) % 20) + 1),
      );
      expect(outcomes.some((outcome) => outcome?.moved)).toBe(true);
      expect(await store.membership(conversationId, userId)).toMatchObject({ readSeq: 20 });
    });

    test('belong to members, each to one', async () => {
      const { conversationId, userId } = await member(0);
      const neighbour = sampleMembership({ conversationId });
      await store.addParticipants([neighbour]);
      expect(await store.markRead(conversationId, newUserId(), 2)).toBeNull();
      expect(await store.markRead(newConversationId(), userId, 2)).toBeNull();
      await store.markRead(conversationId, userId, 2);
      expect(await store.membership(conversationId, neighbour.userId)).toEqual(neighbour);
    });

    test('memberships gives many at once, each as it is', async () => {
      const members = Array.from({ length: 60 }, (_, readSeq) => sampleMembership({ readSeq }));
      await store.addParticipants(members);
      const [first] = members;
      const strangers = [{ ...sampleMembership() }, { ...sampleMembership(), userId: newUserId() }];
      const found = await other.memberships([...strangers, ...members, ...(first ? [first] : [])]);
      const order = (list: typeof members) => list.toSorted((a, b) => a.readSeq - b.readSeq);
      expect(order(found)).toEqual(members);
      expect(await store.memberships([])).toEqual([]);
    });
  });
}
