import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { befriend, befriendAll, listOf, statusSeenBy } from './befriend.ts';
import { type ChatConnection, connect } from './chat-connection.ts';
import { expectStatus, type OnlineStatus } from './contract-shapes.ts';
import { newPeople, online, type Person } from './person.ts';
import {
  expectSeenAround,
  expectTransitions,
  friendsShown,
  hearTransitions,
  snapshotsHeard,
  statusesHeard,
  transitionsHeard,
  watch,
} from './presence-heard.ts';
import { bringMarker } from './presence-marker.ts';
import { gatewayUrl, type Target } from './target.ts';

const CYCLES = 3;
const CROWD = 20;
/** Milliseconds by which two processes may measure a time differently. */
const CLOCKS = 200;
/** For cases that wait for the grace time more than once. */
const LONG = 120_000;

/**
 * Most of the time of these cases is grace that passes, so they run side by side, each with people
 * of its own.
 */
export function describePresence(target: () => Target): void {
  describe.concurrent('presence', { timeout: LONG }, () => {
    /** Until the friend is seen as online, so that a snapshot asked for now must hold them. */
    async function awaitSeen(person: Person, friend: Person, isOnline: boolean): Promise<void> {
      await waitFor(async () => (await statusSeenBy(person, friend))?.online === isOnline, {
        timeout: 30_000,
        interval: 100,
        describe: `${friend.userId} to be ${isOnline ? 'online' : 'offline'}`,
      });
    }

    /** Being away for a time is what these cases are about; nothing that could be waited for. */
    async function passes(time: number): Promise<void> {
      const until = performance.now() + time;
      await waitFor(() => performance.now() >= until, {
        timeout: time + 10_000,
        interval: 5,
        describe: `${time} ms to pass`,
      });
    }

    test('the first device brings a user online, the last one to go takes them offline, others are silent', async () => {
      const [ada, ben] = (await newPeople(target(), 'pres', 2)) as [Person, Person];
      await befriend(ada, ben);
      using marker = await bringMarker(target(), [ben]);
      using benHere = await watch(target(), ben, 0);
      using benThere = await watch(target(), ben, 1);
      const listeners = [benHere, benThere];

      const cameAt = Date.now();
      using first = await online(target(), ada, 0);
      const came = await hearTransitions(listeners, ada, [true]);
      expectStatus(came, { userId: ada.userId, online: true });
      // Never here before: this moment.
      expectSeenAround(came.lastSeenAt, cameAt);

      using second = await online(target(), ada, 1);
      using third = await online(target(), ada, 0);
      await marker.comes(listeners);
      first.close();
      second.close();
      await marker.goes(listeners);
      expectTransitions(listeners, ada, [true]);

      const leftAt = Date.now();
      const closedAt = performance.now();
      third.close();
      const went = await hearTransitions(listeners, ada, [true, false]);
      expect(performance.now() - closedAt).toBeGreaterThan(target().presence.grace - CLOCKS);
      expectStatus(went, { userId: ada.userId, online: false });
      expectSeenAround(went.lastSeenAt, leftAt);
      expect(await statusSeenBy(ben, ada)).toStrictEqual(went);

      await marker.comes(listeners);
      expectTransitions(listeners, ada, [true, false]);
      for (const connection of [first, second, third]) {
        expect(connection.payloads('user_online_status')).toEqual([]);
      }
    });

    test('a reconnect within the grace time is silent, on whichever gateway', async () => {
      const [ada, ben] = (await newPeople(target(), 'pres', 2)) as [Person, Person];
      await befriend(ada, ben);
      using marker = await bringMarker(target(), [ben]);
      using atBen = await watch(target(), ben, 0);
      let connection = await online(target(), ada, 0);
      try {
        await hearTransitions([atBen], ada, [true]);
        await marker.comes([atBen]);
        // At once, and with a good part of the grace time gone.
        for (const [gateway, away] of [
          [0, 0],
          [1, 0],
          [1, 0.4],
          [0, 0],
          [1, 0.4],
        ] as const) {
          connection.close();
          await passes(away * target().presence.grace);
          connection = await online(target(), ada, gateway);
        }
        // Goes after the last reconnect, so all grace times are over when this is heard.
        await marker.goes([atBen]);
        expectTransitions([atBen], ada, [true]);
        const leftAt = Date.now();
        connection.close();
        const { lastSeenAt } = await hearTransitions([atBen], ada, [true, false]);
        expectSeenAround(lastSeenAt, leftAt);
      } finally {
        connection.close();
      }
    });

    test('many devices that come and go at once make one transition', async () => {
      const [ada, ben] = (await newPeople(target(), 'pres', 2)) as [Person, Person];
      await befriend(ada, ben);
      using marker = await bringMarker(target(), [ben]);
      using atBen = await watch(target(), ben, 0);
      const devices: ChatConnection[] = [];
      try {
        for (let round = 0; round < 3; round += 1) {
          const fresh = await Promise.all(
            Array.from({ length: 6 }, (_none, index) => online(target(), ada, index)),
          );
          for (const device of devices.splice(0)) {
            device.close();
          }
          devices.push(...fresh);
        }
        await hearTransitions([atBen], ada, [true]);
        await marker.comes([atBen]);
        await marker.goes([atBen]);
        expectTransitions([atBen], ada, [true]);
      } finally {
        for (const device of devices) {
          device.close();
        }
      }
      await hearTransitions([atBen], ada, [true, false]);
      await marker.comes([atBen]);
      expectTransitions([atBen], ada, [true, false]);
    });

    test('each friend hears each transition once, on every device, over and over', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'pres', 3)) as [Person, Person, Person];
      await befriendAll(ada, [ben, cleo]);
      using marker = await bringMarker(target(), [ben, cleo]);
      const listeners = await Promise.all([
        watch(target(), ben, 0),
        watch(target(), ben, 0),
        watch(target(), ben, 1),
        watch(target(), cleo, 0),
        watch(target(), cleo, 1),
      ]);
      try {
        const transitions: boolean[] = [];
        let before: OnlineStatus | null = null;
        for (let cycle = 0; cycle < CYCLES; cycle += 1) {
          using here = await online(target(), ada, cycle);
          using there = await online(target(), ada, cycle + 1);
          transitions.push(true);
          const came = await hearTransitions(listeners, ada, transitions);
          if (before !== null) {
            // When they were here before.
            expect(came.lastSeenAt).toBe(before.lastSeenAt);
          }
          here.close();
          const leftAt = Date.now();
          there.close();
          transitions.push(false);
          before = await hearTransitions(listeners, ada, transitions);
          expectSeenAround(before.lastSeenAt, leftAt);
        }
        await marker.comes(listeners);
        expectTransitions(listeners, ada, transitions);
      } finally {
        for (const listener of listeners) {
          listener.close();
        }
      }
    });

    test('a crowd that comes and goes at once is told one by one', async () => {
      const [ben, ...crowd] = (await newPeople(target(), 'crowd', CROWD + 1)) as [
        Person,
        ...Person[],
      ];
      await befriendAll(ben, crowd);
      using marker = await bringMarker(target(), [ben]);
      using benHere = await watch(target(), ben, 0);
      using benThere = await watch(target(), ben, 1);
      const listeners = [benHere, benThere];
      const connections = await Promise.all(
        crowd.map((person, index) => online(target(), person, index)),
      );
      try {
        await Promise.all(crowd.map((person) => hearTransitions(listeners, person, [true])));
        using late = await watch(target(), ben, 1);
        expect(friendsShown(late)).toEqual(crowd.map(({ userId }) => userId).sort());
      } finally {
        for (const connection of connections) {
          connection.close();
        }
      }
      await Promise.all(crowd.map((person) => hearTransitions(listeners, person, [true, false])));
      await marker.comes(listeners);
      for (const person of crowd) {
        expectTransitions(listeners, person, [true, false]);
      }
    });

    test('presence_snapshot names the friends who are online, once to each socket', async () => {
      const people = (await newPeople(target(), 'snap', 7)) as [
        Person,
        Person,
        Person,
        Person,
        Person,
        Person,
        Person,
      ];
      const [ben, here, everywhere, gone, never, asked, stranger] = people;
      await befriendAll(ben, [here, everywhere, gone, never]);
      await ben.rest('POST', '/api/friends/requests', { json: { addresseeId: asked.userId } });
      using marker = await bringMarker(target(), [ben]);
      {
        using atGone = await online(target(), gone, 1);
        await awaitSeen(ben, gone, true);
        atGone.close();
      }
      using _here = await online(target(), here, 0);
      using _everywhere = await online(target(), everywhere, 0);
      using _andThere = await online(target(), everywhere, 1);
      using _asked = await online(target(), asked, 0);
      using alone = await watch(target(), stranger, 1);
      expect(snapshotsHeard(alone)).toStrictEqual([{ online: [] }]);
      await awaitSeen(ben, here, true);
      await awaitSeen(ben, everywhere, true);
      await awaitSeen(ben, gone, false);

      const expected = [here.userId, everywhere.userId].sort();
      using first = await watch(target(), ben, 0);
      using second = await watch(target(), ben, 1);
      using polling = await connect({
        url: gatewayUrl(target(), 0),
        token: ben.accessToken,
        transports: ['polling'],
      });
      await polling.hearsEvent('presence_snapshot', {});
      const listeners = [first, second, polling];
      await marker.comes(listeners);
      for (const connection of listeners) {
        const snapshots = snapshotsHeard(connection);
        expect(snapshots.map((snapshot) => [...snapshot.online].sort())).toEqual([expected]);
        expect(friendsShown(connection)).toHaveLength(expected.length + 1);
      }
      const known = [here, everywhere, gone].map(({ userId }) => userId).sort();
      const listed = await listOf<OnlineStatus>(ben, '/presence');
      for (const status of listed) {
        expectStatus(status);
      }
      // The marker is a friend too.
      expect(
        listed
          .map(({ userId }) => userId)
          .filter((id) => known.includes(id))
          .sort(),
      ).toEqual(known);
      expect(listed).toHaveLength(known.length + 1);
      expect(listed.filter(({ online: isOnline }) => isOnline)).toHaveLength(3);
    });

    test('a snapshot and the changes around it never leave anybody out', async () => {
      const [ben, ...friends] = (await newPeople(target(), 'pres', 7)) as [Person, ...Person[]];
      await befriendAll(ben, friends);
      const staying: ChatConnection[] = [];
      const listeners: ChatConnection[] = [];
      try {
        // Ben connects again and again while his friends arrive, at every possible moment.
        await Promise.all(
          friends.map(async (friend, index) => {
            const both = await Promise.all([
              online(target(), friend, index),
              online(target(), ben, index + 1),
            ]);
            staying.push(both[0]);
            listeners.push(both[1]);
          }),
        );
        const expected = friends.map(({ userId }) => userId).sort();
        for (const listener of listeners) {
          await waitFor(() => JSON.stringify(friendsShown(listener)) === JSON.stringify(expected), {
            timeout: 20_000,
            describe: 'all friends to be shown',
          });
        }
      } finally {
        for (const connection of [...staying, ...listeners]) {
          connection.close();
        }
      }
    });

    test('what is told of a user is never about the time before they came back', async () => {
      const [ada, ben] = (await newPeople(target(), 'pres', 2)) as [Person, Person];
      await befriend(ada, ben);
      using atBen = await watch(target(), ben, 1);
      using first = await online(target(), ada, 0);
      await hearTransitions([atBen], ada, [true]);
      first.close();
      // Comes back at the very moment at which the grace time ends, or near it.
      await passes(target().presence.grace);
      using second = await online(target(), ada, 1);
      await waitFor(async () => (await statusSeenBy(ben, ada))?.online === true, {
        timeout: 20_000,
        interval: 100,
        describe: 'ada to be online again',
      });
      using marker = await bringMarker(target(), [ben]);
      await marker.comes([atBen]);
      // Silent, or gone and back: in the end she is shown as online, as she is.
      const heard = transitionsHeard(atBen, ada);
      expect([[true], [true, false, true]]).toContainEqual(heard);
      const changes = statusesHeard(atBen, ada);
      expect(changes.map(({ lastSeenAt }) => lastSeenAt)).toEqual(
        changes.map(({ lastSeenAt }) => lastSeenAt).toSorted(),
      );
      second.close();
      await hearTransitions([atBen], ada, [...heard, false]);
    });
  });
}
