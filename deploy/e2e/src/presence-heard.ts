import { waitFor } from '@bambochat/testing';
import { expect } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import { expectStatus, type OnlineStatus, type PresenceSnapshot } from './contract-shapes.ts';
import { online, type Person } from './person.ts';
import type { Target } from './target.ts';

/** Milliseconds in which a change must have been told that needs no grace to pass. */
const DEADLINE = 20_000;

/** `user_online_status` about one person, in the order in which a connection heard them. */
export function statusesHeard(connection: ChatConnection, { userId }: Person): OnlineStatus[] {
  return connection
    .payloads<OnlineStatus>('user_online_status')
    .filter((status) => status.userId === userId)
    .map((status) => expectStatus(status));
}

/** The same without times: true for each time that the person came, false for each time they went. */
export function transitionsHeard(connection: ChatConnection, person: Person): boolean[] {
  return statusesHeard(connection, person).map(({ online }) => online);
}

/** Snapshots that a connection got. */
export function snapshotsHeard(connection: ChatConnection): PresenceSnapshot[] {
  return connection.payloads<PresenceSnapshot>('presence_snapshot').map((snapshot) => {
    expect(snapshot).toStrictEqual({ online: expect.any(Array) });
    return snapshot;
  });
}

/** The ids of the friends who are online, as a client shows them that keeps up with its events. */
export function friendsShown(connection: ChatConnection): string[] {
  let shown = new Set<string>();
  for (const { name, payload } of connection.heard) {
    if (name === 'presence_snapshot') {
      shown = new Set((payload as PresenceSnapshot).online);
    } else if (name === 'user_online_status') {
      const { userId, online } = payload as OnlineStatus;
      if (online) {
        shown.add(userId);
      } else {
        shown.delete(userId);
      }
    }
  }
  return [...shown].sort();
}

/**
 * Waits until each of the connections has heard this many transitions of the person, and asserts
 * that it heard exactly these.
 *
 * @returns the last status, the same at all of them
 */
export async function hearTransitions(
  connections: readonly ChatConnection[],
  person: Person,
  transitions: readonly boolean[],
  timeout = DEADLINE,
): Promise<OnlineStatus> {
  const lasts = await Promise.all(
    connections.map(async (connection, index) => {
      await waitFor(() => transitionsHeard(connection, person).length >= transitions.length, {
        timeout,
        describe: `${person.userId} to be ${transitions.at(-1) ? 'online' : 'offline'} at connection ${index}`,
      });
      expect(transitionsHeard(connection, person), person.userId).toEqual(transitions);
      return statusesHeard(connection, person).at(-1);
    }),
  );
  const [last] = lasts;
  if (last === undefined) {
    throw new Error('A transition of somebody is heard by at least one connection');
  }
  for (const other of lasts) {
    expect(other).toStrictEqual(last);
  }
  return last;
}

/** Asserts that each connection has heard exactly these transitions of the person until now. */
export function expectTransitions(
  connections: readonly ChatConnection[],
  person: Person,
  transitions: readonly boolean[],
): void {
  for (const connection of connections) {
    expect(transitionsHeard(connection, person), person.userId).toEqual(transitions);
  }
}

/**
 * Connects somebody who listens: resolves once the snapshot is there, after which every change is an
 * event of its own.
 */
export async function watch(target: Target, person: Person, gateway = 0): Promise<ChatConnection> {
  const connection = await online(target, person, gateway);
  try {
    await connection.hearsEvent('presence_snapshot', {});
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Waits until a connection shows exactly these people online. */
export async function showsOnline(
  connection: ChatConnection,
  people: readonly Person[],
  timeout = DEADLINE,
): Promise<void> {
  const expected = people.map(({ userId }) => userId).sort();
  await waitFor(() => JSON.stringify(friendsShown(connection)) === JSON.stringify(expected), {
    timeout,
    describe: `exactly these to be shown online: ${expected.join(', ')}`,
  });
}

/**
 * Asserts that somebody was last seen when they left: a second before at most, since clocks are
 * read in several processes, and two after.
 */
export function expectSeenAround(lastSeenAt: string, leftAt: number): void {
  const difference = Date.parse(lastSeenAt) - leftAt;
  expect(difference, 'milliseconds between leaving and lastSeenAt').toBeGreaterThanOrEqual(-1000);
  expect(difference, 'milliseconds between leaving and lastSeenAt').toBeLessThanOrEqual(2000);
}
