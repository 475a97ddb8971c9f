import { describe, expect, test } from 'vitest';
import { befriendAll } from './befriend.ts';
import { describeLogs } from './logs.conformance.ts';
import { newPeople, online, type Person } from './person.ts';
import { expectTransitions, hearTransitions, showsOnline, watch } from './presence-heard.ts';
import { bringMarker } from './presence-marker.ts';
import { type Member, type StackTarget, startStack } from './stack-target.ts';
import { presenceDefaults, useTarget } from './target.ts';

/** Milliseconds in which every fault must have healed. */
const HEALED = 60_000;
/** For a machine that does other things too. */
const SLACK = 10_000;
const LONG = 180_000;
const CROWD = 16;

/** Short, so that cases need not wait long. */
const short = { lease: 3000, grace: 1000 };

function signal(members: readonly (Member | undefined)[], name: NodeJS.Signals): void {
  for (const member of members) {
    process.kill(member?.pid ?? Number.NaN, name);
  }
}

describe('presence, when members of the stack die or stall', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack({ gateways: 3, restart: true, presence: short });
    return stack;
  });

  /** The first is a friend of all others. */
  async function friendsOfOne(count: number): Promise<[Person, ...Person[]]> {
    const people = (await newPeople(target(), 'fault', count)) as [Person, ...Person[]];
    await befriendAll(people[0], people.slice(1));
    return people;
  }

  test.for([0, 1, 2])(
    'kill -9 of a gateway, and of %i of 2 presence-services, takes its users offline once',
    { timeout: LONG },
    async (count, { annotate }) => {
      const [watcher, ...friends] = await friendsOfOne(4);
      const [alone, elsewhere, apart] = friends as [Person, Person, Person];
      using watchingHere = await watch(target(), watcher, 0);
      using watchingThere = await watch(target(), watcher, 1);
      const listeners = [watchingHere, watchingThere];
      using atAlone = await online(target(), alone, 2);
      using _elsewhere = await online(target(), elsewhere, 2);
      using stays = await online(target(), elsewhere, 0);
      using _apart = await online(target(), apart, 1);
      for (const person of friends) {
        await hearTransitions(listeners, person, [true]);
      }

      const gateway = stack.gateways[2] as Member;
      const replicas = stack.presenceServices.slice(0, count);
      const killedAt = Date.now();
      signal([gateway, ...replicas], 'SIGKILL');
      const went = await hearTransitions(listeners, alone, [true, false], HEALED);
      await annotate(
        `offline after ${Date.now() - killedAt} ms; lease and grace are ${short.lease + short.grace} ms`,
      );
      expect(atAlone.losses).toHaveLength(1);
      // The last that was heard of the gateway.
      expect(Date.parse(went.lastSeenAt)).toBeGreaterThan(killedAt - short.lease);
      expect(Date.parse(went.lastSeenAt)).toBeLessThan(killedAt + 2000);

      await stack.awaitSuccessor('gateways', gateway);
      for (const replica of replicas) {
        await stack.awaitSuccessor('presenceServices', replica);
      }
      using _again = await online(target(), alone, 2);
      await hearTransitions(listeners, alone, [true, false, true], HEALED);
      stays.close();
      await hearTransitions(listeners, elsewhere, [true, false], HEALED);
      expectTransitions(listeners, apart, [true]);
      expectTransitions(listeners, alone, [true, false, true]);
    },
  );

  test('a gateway that stalls past its lease and wakes up: at most once offline and once online, and right on both sides', {
    timeout: LONG,
  }, async () => {
    const [watcher, ...friends] = await friendsOfOne(6);
    const [alone, elsewhere, moving, leaving, coming] = friends as [
      Person,
      Person,
      Person,
      Person,
      Person,
    ];
    using watchingHere = await watch(target(), watcher, 0);
    using watchingThere = await watch(target(), watcher, 1);
    using stalled = await watch(target(), watcher, 2);
    const listeners = [watchingHere, watchingThere];
    using atAlone = await online(target(), alone, 2);
    using elsewhereToo = await online(target(), elsewhere, 2);
    using stays = await online(target(), elsewhere, 0);
    using moves = await online(target(), moving, 2);
    using leaves = await online(target(), leaving, 0);
    const here = [alone, elsewhere, moving, leaving];
    for (const person of here) {
      await hearTransitions([...listeners, stalled], person, [true]);
    }

    const gateway = stack.gateways[2] as Member;
    signal([gateway], 'SIGSTOP');
    try {
      // One goes where somebody still listens, before the lease is over.
      moves.close();
      using _moved = await online(target(), moving, 1);
      await hearTransitions(listeners, alone, [true, false], HEALED);
      leaves.close();
      using comes = await online(target(), coming, 1);
      await hearTransitions(listeners, leaving, [true, false], HEALED);
      await hearTransitions(listeners, coming, [true], HEALED);

      signal([gateway], 'SIGCONT');
      await hearTransitions(listeners, alone, [true, false, true], HEALED);
      await showsOnline(stalled, [alone, elsewhere, moving, coming], HEALED);
      for (const connection of listeners) {
        await showsOnline(connection, [alone, elsewhere, moving, coming], HEALED);
      }
      comes.close();
    } finally {
      signal([gateway], 'SIGCONT');
    }
    elsewhereToo.close();
    stays.close();
    atAlone.close();
    for (const person of [coming, moving, elsewhere]) {
      await hearTransitions(listeners, person, [true, false], HEALED);
    }
    await hearTransitions(listeners, alone, [true, false, true, false], HEALED);
    expectTransitions(listeners, leaving, [true, false]);
    await showsOnline(stalled, [], HEALED);
  });

  test('a presence-service that stalls in the middle of its work is stood in for, and does no harm when it wakes up', {
    timeout: LONG,
  }, async () => {
    const [watcher, ...crowd] = await friendsOfOne(CROWD + 1);
    using marker = await bringMarker(target(), [watcher]);
    using watchingHere = await watch(target(), watcher, 0);
    using watchingThere = await watch(target(), watcher, 1);
    const listeners = [watchingHere, watchingThere];
    using opened = new DisposableStack();
    const leaving = crowd.slice(0, CROWD / 2);
    const staying = crowd.slice(CROWD / 2);
    const [replica] = stack.presenceServices;
    const arriving = crowd.map(async (person, index) =>
      opened.use(await online(target(), person, index)),
    );
    try {
      await Promise.race(arriving);
      signal([replica], 'SIGSTOP');
      const connections = await Promise.all(arriving);
      for (const person of crowd) {
        await hearTransitions(listeners, person, [true], HEALED);
      }
      for (const connection of connections.slice(0, CROWD / 2)) {
        connection.close();
      }
      for (const person of leaving) {
        await hearTransitions(listeners, person, [true, false], HEALED);
      }
    } finally {
      signal([replica], 'SIGCONT');
    }
    await marker.comes(listeners);
    opened.dispose();
    for (const person of staying) {
      await hearTransitions(listeners, person, [true, false], HEALED);
    }
    await marker.goes(listeners);
    for (const person of crowd) {
      expectTransitions(listeners, person, [true, false]);
    }
  });

  describeLogs(target, /"msg":"service died"/);
});

describe('presence with the default lease and grace', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack({ gateways: 3 });
    return stack;
  });

  test('kill -9 of a gateway takes its users offline within lease and grace, once', {
    timeout: LONG,
  }, async ({ annotate }) => {
    const [watcher, alone, elsewhere] = (await newPeople(target(), 'fault', 3)) as [
      Person,
      Person,
      Person,
    ];
    await befriendAll(watcher, [alone, elsewhere]);
    using watchingHere = await watch(target(), watcher, 0);
    using watchingThere = await watch(target(), watcher, 1);
    const listeners = [watchingHere, watchingThere];
    using _alone = await online(target(), alone, 2);
    using _elsewhere = await online(target(), elsewhere, 2);
    using stays = await online(target(), elsewhere, 0);
    await hearTransitions(listeners, alone, [true]);
    await hearTransitions(listeners, elsewhere, [true]);

    const { lease, grace } = presenceDefaults;
    const killedAt = Date.now();
    signal([stack.gateways[2]], 'SIGKILL');
    const went = await hearTransitions(listeners, alone, [true, false], lease + grace + SLACK);
    await annotate(
      `offline after ${Date.now() - killedAt} ms; lease and grace are ${lease + grace} ms`,
    );
    expect(Date.parse(went.lastSeenAt)).toBeGreaterThan(killedAt - lease);
    expect(Date.parse(went.lastSeenAt)).toBeLessThan(killedAt + 2000);
    stays.close();
    await hearTransitions(listeners, elsewhere, [true, false]);
    expectTransitions(listeners, alone, [true, false]);
  });

  describeLogs(target, /"msg":"service died"/);
});
