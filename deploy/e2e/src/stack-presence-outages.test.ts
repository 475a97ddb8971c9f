import { type Backend, waitFor } from '@bambochat/testing';
import { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { befriendAll, statusSeenBy } from './befriend.ts';
import type { ChatConnection } from './chat-connection.ts';
import { describeLogs } from './logs.conformance.ts';
import { logIn, newPeople, online, type Person } from './person.ts';
import { expectTransitions, hearTransitions, showsOnline, watch } from './presence-heard.ts';
import { request } from './rest-client.ts';
import { type Member, type StackTarget, startStack, startStackOn } from './stack-target.ts';
import { useTarget } from './target.ts';

/** Milliseconds in which every fault must have healed. */
const HEALED = 60_000;
const LONG = 240_000;
/** Short, so that cases need not wait long. */
const presence = { lease: 3000, grace: 1000 };
/** Longer than lease and grace together: whoever does not wait for the outage to end is found out. */
const OUTAGE = 20_000;

describe('presence, when what the stack stands on breaks', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack({ gateways: 3, presence });
    return stack;
  });

  async function flushRedis(): Promise<void> {
    const redis = new Redis(stack.backends.redis.url);
    try {
      expect(await redis.flushall()).toBe('OK');
    } finally {
      redis.disconnect();
    }
  }

  async function lasts(time: number): Promise<void> {
    const since = performance.now();
    await waitFor(() => performance.now() > since + time, {
      describe: 'the outage to last',
      timeout: time + 10_000,
      interval: 250,
    });
  }

  /** Comes as soon as the deployment lets them. */
  function arrives(person: Person, gateway: number): Promise<ChatConnection> {
    return waitFor(() => online(target(), person, gateway), {
      describe: `${person.userId} to be let in`,
      timeout: HEALED,
      interval: 250,
    });
  }

  /** Gateways and presence-services have their connections back. */
  async function everybodyIsReady(): Promise<void> {
    const members = [...stack.gateways, ...stack.presenceServices];
    await waitFor(
      async () => {
        const answers = await Promise.all(
          members.map(({ url }) =>
            request(url, 'GET', '/readyz').catch(() => ({ status: 'gone' })),
          ),
        );
        return answers.every(({ status }) => status === 200);
      },
      { timeout: HEALED, describe: 'gateways and presence-services to be ready' },
    );
  }

  /**
   * Friends of one who are there before: one of them leaves while something is broken, one comes
   * when they can, one is on two gateways, and none of the others is told to have moved.
   */
  async function breakPresence(fault: {
    /** @param leave closes the connection of who leaves; to be called while it is broken */
    during: (leave: () => void) => Promise<void>;
  }): Promise<void> {
    const people = (await newPeople(target(), 'outage', 6)) as [
      Person,
      Person,
      Person,
      Person,
      Person,
      Person,
    ];
    const [watcher, staying, everywhere, leaving, coming, last] = people;
    await befriendAll(watcher, people.slice(1));
    using watchingHere = await watch(target(), watcher, 0);
    using watchingThere = await watch(target(), watcher, 1);
    const listeners = [watchingHere, watchingThere];
    using atStaying = await online(target(), staying, 1);
    using here = await online(target(), everywhere, 0);
    using there = await online(target(), everywhere, 1);
    using leaves = await online(target(), leaving, 0);
    for (const person of [staying, everywhere, leaving]) {
      await hearTransitions(listeners, person, [true]);
    }

    let leftAt = 0;
    await fault.during(() => {
      leftAt = Date.now();
      leaves.close();
    });

    // What is told while a gateway is not connected it cannot hear; a fresh snapshot shows it instead.
    await everybodyIsReady();
    using comes = await arrives(coming, 1);
    const went = await hearTransitions(listeners, leaving, [true, false], HEALED);
    const distance = Math.abs(Date.parse(went.lastSeenAt) - leftAt);
    expect(distance).toBeLessThan(2000);
    await hearTransitions(listeners, coming, [true], HEALED);
    for (const connection of listeners) {
      await showsOnline(connection, [staying, everywhere, coming], HEALED);
      expect(connection.losses).toEqual([]);
    }

    // What comes later proves what did not come before.
    atStaying.close();
    here.close();
    comes.close();
    for (const person of [staying, coming]) {
      await hearTransitions(listeners, person, [true, false], HEALED);
    }
    using _last = await arrives(last, 0);
    await hearTransitions(listeners, last, [true], HEALED);
    expectTransitions(listeners, everywhere, [true]);
    there.close();
    await hearTransitions(listeners, everywhere, [true, false], HEALED);
    expectTransitions(listeners, leaving, [true, false]);
  }

  test('an emptied Redis is not heard of, and changes after it are told', {
    timeout: LONG,
  }, async () => {
    await breakPresence({
      async during(leave) {
        await flushRedis();
        leave();
        // And once more while everything is being told again.
        await flushRedis();
      },
    });
  });

  test('Redis that hangs for 20 s moves nobody, and what happens meanwhile is told', {
    timeout: LONG,
  }, async () => {
    await breakPresence({
      async during(leave) {
        await stack.backends.redis.pause();
        try {
          leave();
          await lasts(OUTAGE);
        } finally {
          await stack.backends.redis.resume();
        }
      },
    });
  });

  test.for(['nats', 'mongodb', 'redis'] as const)(
    '%s that is killed and stays away moves nobody, and what happens meanwhile is told',
    { timeout: LONG },
    async (name) => {
      const backend: Backend = stack.backends[name];
      await breakPresence({
        async during(leave) {
          await backend.kill();
          try {
            leave();
            await lasts(3 * (presence.lease + presence.grace));
          } finally {
            await backend.restart();
          }
        },
      });
    },
  );

  test('an emptied Redis together with kill -9 of a gateway: its users go offline once', {
    timeout: LONG,
  }, async ({ annotate }) => {
    const people = (await newPeople(target(), 'outage', 4)) as [Person, Person, Person, Person];
    const [watcher, alone, elsewhere, apart] = people;
    await befriendAll(watcher, people.slice(1));
    using watchingHere = await watch(target(), watcher, 0);
    using watchingThere = await watch(target(), watcher, 1);
    const listeners = [watchingHere, watchingThere];
    using _alone = await online(target(), alone, 2);
    using _elsewhere = await online(target(), elsewhere, 2);
    using stays = await online(target(), elsewhere, 1);
    using atApart = await online(target(), apart, 0);
    for (const person of [alone, elsewhere, apart]) {
      await hearTransitions(listeners, person, [true]);
    }

    const killedAt = Date.now();
    process.kill((stack.gateways[2] as Member).pid, 'SIGKILL');
    await flushRedis();
    const went = await hearTransitions(listeners, alone, [true, false], HEALED);
    await annotate(`offline after ${Date.now() - killedAt} ms`);
    expect(Date.parse(went.lastSeenAt)).toBeGreaterThan(killedAt - HEALED);
    expect(Date.parse(went.lastSeenAt)).toBeLessThan(killedAt + presence.lease);

    using _again = await online(target(), alone, 0);
    await hearTransitions(listeners, alone, [true, false, true], HEALED);
    stays.close();
    atApart.close();
    for (const person of [elsewhere, apart]) {
      await hearTransitions(listeners, person, [true, false], HEALED);
    }
    expectTransitions(listeners, alone, [true, false, true]);
  });

  test('what friends know of each other outlives a restart of everything', {
    timeout: LONG,
  }, async () => {
    const people = (await newPeople(target(), 'outage', 4)) as [Person, Person, Person, Person];
    const [watcher, gone, lost, back] = people;
    await befriendAll(watcher, people.slice(1));
    using watching = await watch(target(), watcher, 0);
    using atGone = await online(target(), gone, 1);
    using _lost = await online(target(), lost, 1);
    using _back = await online(target(), back, 0);
    for (const person of [gone, lost, back]) {
      await hearTransitions([watching], person, [true]);
    }
    atGone.close();
    const goneSeen = await hearTransitions([watching], gone, [true, false]);

    const { backends } = stack;
    const endedAt = Date.now();
    await stack.program.stop();
    await Promise.all([backends.redis.restart(), backends.nats.restart()]);
    await backends.mongodb.restart();
    await using again = await startStackOn(backends, { presence });
    const [watcherAgain, backAgain, goneAgain] = (await Promise.all(
      [watcher, back, gone].map((person) => logIn(again, person)),
    )) as [Person, Person, Person];
    using watchingAgain = await watch(again, watcherAgain, 0);
    using _backAgain = await online(again, backAgain, 1);
    expect(await statusSeenBy(watcherAgain, gone)).toStrictEqual(goneSeen);

    const seen = await waitFor(
      async () => {
        const status = await statusSeenBy(watcherAgain, lost);
        return status?.online === false && status;
      },
      { describe: 'who did not come back to be offline', timeout: HEALED, interval: 250 },
    );
    const { lastSeenAt } = seen || goneSeen;
    expect(Date.parse(lastSeenAt)).toBeGreaterThan(endedAt - presence.lease - 1000);
    // Everything was stopped in order: they were here until the gateways closed their sockets.
    expect(Date.parse(lastSeenAt)).toBeLessThan(endedAt + 30_000);
    await showsOnline(watchingAgain, [back], HEALED);
    using _goneAgain = await online(again, goneAgain, 1);
    const came = await hearTransitions([watchingAgain], gone, [true], HEALED);
    expect(came.lastSeenAt).toBe(goneSeen.lastSeenAt);
    await showsOnline(watchingAgain, [back, gone], HEALED);
  });

  describeLogs(target, /"msg":"service died"/);
});
