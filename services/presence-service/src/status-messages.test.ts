import { type GatewayId, subjects, type UserId } from '@bambochat/protocol';
import type { UserStatus } from '@bambochat/stores';
import { describe, expect, it } from 'vitest';
import { statusMessages } from './status-messages.ts';

const [one, two] = ['gateway-1', 'gateway-2'] as [GatewayId, GatewayId];
const [ada, bob, cyd, dan] = ['ada', 'bob', 'cyd', 'dan'] as [UserId, UserId, UserId, UserId];

function status(userId: UserId): UserStatus {
  return { userId, online: true, lastSeenAt: '2026-01-01T00:00:00.000Z', changedAt: 7 };
}

function manyUsers(prefix: string, number: number): UserId[] {
  return Array.from({ length: number }, (_, index) =>
    `${prefix}-${index}`.padEnd(50, 'x'),
  ) as UserId[];
}

describe('messages about statuses', () => {
  it('name for each gateway those friends who are there', () => {
    const located = new Map([
      [one, [bob, cyd]],
      [two, [cyd]],
    ]);
    const news = [
      { status: status(ada), friends: [bob, cyd, dan] },
      { status: status(dan), friends: [cyd] },
    ];
    const change = { kind: 'change', ...status(ada) };
    const other = { kind: 'change', ...status(dan) };
    expect(statusMessages(news, located)).toEqual([
      {
        subject: subjects.statusChangesFor(one),
        changes: [
          { ...change, to: [bob, cyd] },
          { ...other, to: [cyd] },
        ],
      },
      {
        subject: subjects.statusChangesFor(two),
        changes: [
          { ...change, to: [cyd] },
          { ...other, to: [cyd] },
        ],
      },
    ]);
  });

  it('go to all gateways while it is not known who is where', () => {
    expect(statusMessages([{ status: status(ada), friends: [bob, dan] }], null)).toEqual([
      {
        subject: subjects.statusChanges,
        changes: [{ kind: 'change', ...status(ada), to: [bob, dan] }],
      },
    ]);
  });

  it('are none without a friend who is connected', () => {
    expect(statusMessages([{ status: status(ada), friends: [] }], null)).toEqual([]);
    expect(statusMessages([{ status: status(ada), friends: [] }], new Map())).toEqual([]);
    expect(statusMessages([{ status: status(ada), friends: [dan] }], new Map())).toEqual([]);
  });

  it('have a bounded size, and lose nobody', () => {
    const friends = manyUsers('friend', 5000);
    const subjectsOfNews = manyUsers('user', 40);
    const news = [
      { status: status(ada), friends },
      ...subjectsOfNews.map((userId) => ({
        status: status(userId),
        friends: friends.slice(0, 900),
      })),
    ];
    const messages = statusMessages(news, new Map([[one, friends]]));
    for (const { changes } of messages) {
      expect(JSON.stringify({ changes }).length).toBeLessThan(270_000);
    }
    const told = messages.flatMap(({ changes }) => changes);
    const toldOf = (userId: UserId) =>
      told.filter((change) => change.userId === userId).flatMap(({ to }) => to);
    expect(toldOf(ada)).toEqual(friends);
    for (const userId of subjectsOfNews) {
      expect(toldOf(userId)).toEqual(friends.slice(0, 900));
    }
  });
});
