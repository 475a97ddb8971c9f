import { describe, expect, test } from 'vitest';
import {
  askFriendship,
  befriend,
  befriendAll,
  block,
  deleteFriend,
  expectMessageOnly,
  listOf,
  unblock,
  unfriend,
} from './befriend.ts';
import type { ChatConnection } from './chat-connection.ts';
import { expectStatus, type OnlineStatus } from './contract-shapes.ts';
import { newPeople, online, type Person } from './person.ts';
import {
  expectTransitions,
  friendsShown,
  hearTransitions,
  showsOnline,
  statusesHeard,
  watch,
} from './presence-heard.ts';
import { bringMarker } from './presence-marker.ts';
import type { Target } from './target.ts';

/** Milliseconds that "at once" may take on a machine that does other things too. */
const AT_ONCE = 3000;
const LONG = 120_000;

/** Who learns of somebody's presence, and from when to when. */
export function describeFriendsPresence(target: () => Target): void {
  describe.concurrent('presence is for friends', { timeout: LONG }, () => {
    test('strangers, who waits for an answer, former friends and the blocked hear and see nothing', async () => {
      const [ada, friend, ...others] = (await newPeople(target(), 'priv', 8)) as [
        Person,
        Person,
        Person,
        ...Person[],
      ];
      const [, asking, asked, former, blocked, blocking] = others as [
        Person,
        Person,
        Person,
        Person,
        Person,
        Person,
      ];
      await befriendAll(ada, [friend, former, blocked, blocking]);
      await askFriendship(asking, ada);
      await askFriendship(ada, asked);
      await unfriend(former, ada);
      await block(ada, blocked);
      await block(blocking, ada);
      using marker = await bringMarker(target(), [friend, ...others]);

      const listeners: ChatConnection[] = [];
      try {
        listeners.push(
          ...(await Promise.all(others.map((person, index) => watch(target(), person, index)))),
        );
        using atFriend = await watch(target(), friend, 0);
        using atAda = await online(target(), ada, 1);
        await hearTransitions([atFriend], ada, [true]);
        // Who comes now is not told either.
        const late = await Promise.all(
          others.map((person, index) => watch(target(), person, index + 1)),
        );
        listeners.push(...late);
        for (const person of others) {
          const known = await listOf<OnlineStatus>(person, '/presence');
          expect(known.map(({ userId }) => userId)).not.toContain(ada.userId);
        }
        await marker.comes([atFriend, ...listeners]);
        atAda.close();
        await hearTransitions([atFriend], ada, [true, false]);
        await marker.goes([atFriend, ...listeners]);
        for (const listener of listeners) {
          expectTransitions([listener], ada, []);
          expect(JSON.stringify(listener.heard)).not.toContain(ada.userId);
        }
        // Ada has not learnt of them either: nobody but the friend was told to her.
        const shown = atAda
          .payloads<OnlineStatus>('user_online_status')
          .map(({ userId }) => userId);
        expect(shown.filter((userId) => userId !== friend.userId)).toEqual([]);
      } finally {
        for (const listener of listeners) {
          listener.close();
        }
      }
    });

    test('becoming friends shows presence at once, and ceasing hides it at once, on both sides', async ({
      annotate,
    }) => {
      const [ada, ben, cleo] = (await newPeople(target(), 'priv', 3)) as [Person, Person, Person];
      await befriend(ada, cleo);
      using marker = await bringMarker(target(), [ada, ben]);
      using atCleo = await watch(target(), cleo, 1);
      using adaHere = await watch(target(), ada, 0);
      using adaThere = await watch(target(), ada, 1);
      using benHere = await watch(target(), ben, 0);
      using benThere = await watch(target(), ben, 1);
      await hearTransitions([atCleo], ada, [true]);
      const adas = [adaHere, adaThere];
      const bens = [benHere, benThere];
      const transitions: boolean[] = [];
      const times: number[] = [];

      async function shownOnBothSides(isOnline: boolean, act: () => Promise<unknown>) {
        transitions.push(isOnline);
        const since = performance.now();
        await act();
        const statuses = [
          await hearTransitions(adas, ben, transitions, AT_ONCE),
          await hearTransitions(bens, ada, transitions, AT_ONCE),
        ];
        for (const [index, person] of [ben, ada].entries()) {
          expectStatus(statuses[index], { userId: person.userId, online: isOnline });
        }
        times.push(Math.round(performance.now() - since));
      }

      await shownOnBothSides(true, () => befriend(ada, ben));
      await shownOnBothSides(false, () => unfriend(ben, ada));
      await shownOnBothSides(true, () => befriend(ben, ada));
      await shownOnBothSides(false, () => block(ada, ben));
      await unblock(ada, ben);
      await shownOnBothSides(true, () => befriend(ada, ben));
      await shownOnBothSides(false, () => block(ben, ada));
      await annotate(`told after ${times.join(', ')} ms`);

      // From now on they are strangers: only the real friend hears what follows.
      for (const connection of adas) {
        connection.close();
      }
      await hearTransitions([atCleo], ada, [true, false]);
      using _again = await online(target(), ada, 1);
      await hearTransitions([atCleo], ada, [true, false, true]);
      await marker.comes(bens);
      expectTransitions(bens, ada, transitions);
    });

    test('a friend who is away is not shown, and is as soon as they come', async () => {
      const [ada, ben] = (await newPeople(target(), 'priv', 2)) as [Person, Person];
      using marker = await bringMarker(target(), [ada]);
      using atAda = await watch(target(), ada, 0);
      await befriend(ada, ben);
      await marker.comes([atAda]);
      expect(statusesHeard(atAda, ben)).toEqual([]);
      using atBen = await watch(target(), ben, 1);
      expect(friendsShown(atBen)).toEqual([ada.userId]);
      await hearTransitions([atAda], ben, [true]);
    });

    test('who is a friend no more when they go is not told of going', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'priv', 3)) as [Person, Person, Person];
      await befriendAll(ada, [ben, cleo]);
      using marker = await bringMarker(target(), [ben]);
      using atBen = await watch(target(), ben, 0);
      using atCleo = await watch(target(), cleo, 1);
      using atAda = await online(target(), ada, 0);
      await hearTransitions([atBen, atCleo], ada, [true]);
      atAda.close();
      // Within the grace time: she is shown until the friendship ends, and not told again after it.
      expectMessageOnly(await deleteFriend(ben, ada));
      await hearTransitions([atBen], ada, [true, false], AT_ONCE);
      await hearTransitions([atCleo], ada, [true, false]);
      using _again = await online(target(), ada, 1);
      await hearTransitions([atCleo], ada, [true, false, true]);
      await marker.comes([atBen]);
      expectTransitions([atBen], ada, [true, false]);
    });

    test('friends made and ended while somebody comes and goes are shown as they are', async () => {
      const [ada, ...others] = (await newPeople(target(), 'priv', 7)) as [Person, ...Person[]];
      using atAda = await watch(target(), ada, 0);
      const connections: ChatConnection[] = [];
      try {
        // Each becomes a friend and arrives at the same moment; half of them part again.
        await Promise.all(
          others.map(async (other, index) => {
            const [connection] = await Promise.all([
              online(target(), other, index),
              befriend(other, ada),
            ]);
            connections.push(connection);
            if (index % 2 === 0) {
              await unfriend(ada, other);
            }
          }),
        );
        const friends = others.filter((_other, index) => index % 2 === 1);
        const strangers = others.filter((_other, index) => index % 2 === 0);
        await showsOnline(atAda, friends);
        using marker = await bringMarker(target(), [ada]);
        await marker.comes([atAda]);
        for (const stranger of strangers) {
          expect(friendsShown(atAda)).not.toContain(stranger.userId);
        }
        using late = await watch(target(), ada, 1);
        for (const friend of friends) {
          expect(friendsShown(late)).toContain(friend.userId);
        }
        expect(friendsShown(late)).toHaveLength(friends.length + 1);
      } finally {
        for (const connection of connections) {
          connection.close();
        }
      }
    });
  });
}
