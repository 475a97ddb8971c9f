import { createMemoryEventBus } from '@bambochat/messaging/memory';
import {
  SNAPSHOT_USERS_MAX,
  snapshotsAnswerSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { createMetrics } from '@bambochat/runtime';
import { expect, test } from 'vitest';
import { answerSnapshots } from './answer-snapshots.ts';
import { createPresenceServiceMetrics } from './presence-service-metrics.ts';

const longId = (prefix: string, index: number) => `${prefix}-${index}-`.padEnd(50, 'x') as UserId;

/** Everybody has so many friends, and all of them are online. */
function played(friendsEach: number) {
  const bus = createMemoryEventBus();
  const reads: number[] = [];
  answerSnapshots({
    bus,
    queue: 'test',
    metrics: createPresenceServiceMetrics(createMetrics({ processMetrics: false })),
    friendStore: {
      async friendsOf(userIds) {
        const friends = Array.from({ length: friendsEach }, (_, index) => longId('friend', index));
        return new Map(userIds.map((userId) => [userId, friends]));
      },
    },
    statusStore: {
      async statusesOf(userIds) {
        reads.push(userIds.length);
        return new Map(
          userIds.map((userId) => [
            userId,
            { userId, online: true, lastSeenAt: new Date(0).toISOString(), changedAt: 1 },
          ]),
        );
      },
    },
  });
  return {
    reads,
    async ask(userIds: UserId[]) {
      const answer = await bus.request(subjects.presenceSnapshots, { userIds });
      return { answer: snapshotsAnswerSchema.parse(answer), bytes: JSON.stringify(answer).length };
    },
  };
}

const asked = Array.from({ length: SNAPSHOT_USERS_MAX }, (_, index) => longId('user', index));

test('an answer has a bounded size, and the first users', async () => {
  const { ask, reads } = played(1500);
  const { answer, bytes } = await ask(asked);
  expect(answer.snapshots.map(({ userId }) => userId)).toEqual(asked.slice(0, 3));
  expect(answer.snapshots.map(({ online }) => online.length)).toEqual([1500, 1500, 1500]);
  expect(bytes).toBeLessThan(300_000);
  expect(Math.max(...reads)).toBeLessThanOrEqual(1000);
});

test('one user is answered whatever the number of friends', async () => {
  const { ask } = played(5000);
  const { answer, bytes } = await ask(asked);
  expect(answer.snapshots).toHaveLength(1);
  expect(answer.snapshots[0]?.online).toHaveLength(5000);
  expect(bytes).toBeLessThan(300_000);
});

test('all are answered when they fit, each once', async () => {
  const { ask } = played(20);
  const { answer } = await ask(asked);
  expect(answer.snapshots).toHaveLength(SNAPSHOT_USERS_MAX);
  const [first] = asked as [UserId];
  expect((await ask([first, first])).answer.snapshots).toHaveLength(1);
});
