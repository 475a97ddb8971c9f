import type { GatewayId, PresenceReport, RosterEntry, UserId } from '@bambochat/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createMemoryPresenceStore } from './memory.ts';
import { type RedisTestServer, redisTestServer } from './presence-redis.fixture.ts';
import type { Claim, PresenceStore } from './presence-store.ts';
import { durations, PresenceWorld } from './presence-world.fixture.ts';
import { openRedisPresenceStore } from './redis.ts';

let server: RedisTestServer;
beforeAll(async () => {
  server = await redisTestServer();
});
afterAll(() => server?.close());

const users = ['anna', 'bert', 'carl', 'dora'] as UserId[];
const gateways = ['g1', 'g2'] as GatewayId[];
/** Two users share a part of the roster: 1 or 2. */
const entryOf = (user: UserId): RosterEntry => {
  const index = users.indexOf(user);
  return [user, 256 * (index + 1) + (index % 2) + 1];
};
const digests = [[], ['anna'], ['bert'], ['anna', 'bert', 'carl', 'dora']].map((there) => ({
  users: there.length,
  sum: there.reduce((sum, name) => sum + entryOf(name as UserId)[1], 0),
}));

const user = fc.constantFrom(...users);
const someUsers = fc.uniqueArray(user, { maxLength: 4 });
const ago = fc.constantFrom(0, 1, 2_000, 5_000, 40_000);

const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      gateway: fc.constantFrom(...gateways),
      connected: someUsers,
      disconnected: fc.array(fc.tuple(user, ago), { maxLength: 3 }),
      replaced: fc.option(fc.record({ bucket: fc.constantFrom(0, 1, 2), users: someUsers }), {
        freq: 3,
      }),
      late: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
      digest: fc.constantFrom(...digests),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const), which: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      which: fc.nat(7),
      delay: fc.constantFrom(0, 1_000),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      milliseconds: fc.constantFrom(1, 500, 2_000, 2_500, 3_000, 3_001, 60_000, -1, -10_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('locate' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('declareLost' as const), users: someUsers }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('size' as const) }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** Turns commands into calls; whoever gets the same answers makes the same calls. */
class Caller {
  readonly #store: PresenceStore;
  readonly #claims: Claim[][] = [];
  #number = 10;

  constructor(store: PresenceStore) {
    this.#store = store;
  }

  /** What the store answers, a refusal as its code. */
  async call(command: Exclude<Command, { do: 'pass' }>): Promise<unknown> {
    try {
      return await this.#call(command);
    } catch (error) {
      return `refused: ${(error as { code?: string }).code}`;
    }
  }

  async #call(command: Exclude<Command, { do: 'pass' }>): Promise<unknown> {
    switch (command.do) {
      case 'report':
        return this.#store.report(this.#report(command));
      case 'claim': {
        const claims = await this.#store.claim(command.limit);
        this.#claims.push(claims);
        return claims;
      }
      case 'commit':
        return this.#store.commit(this.#claimed(command.which));
      case 'release':
        return this.#store.release(this.#claimed(command.which), command.delay);
      case 'sweep': {
        const outcomes = [];
        do {
          outcomes.push(await this.#store.sweep({ aliveAt: PresenceWorld.aliveAt, limit: 3 }));
        } while (outcomes.at(-1)?.more);
        // Which users of a part go first is free, and so is what "more" finds.
        return { ...outcomes.at(-1), recover: outcomes.some(({ recover }) => recover) };
      }
      case 'locate':
        return sorted(await this.#store.locate(users));
      case 'declareLost':
        return this.#store.declareLost(command.users);
      case 'settle':
        return this.#store.settle();
      case 'size':
        return this.#store.size();
    }
  }

  /** One of the latest, settled or not. */
  #claimed(which: number): Claim[] {
    return this.#claims.at(-1 - which) ?? [];
  }

  #report(command: Extract<Command, { do: 'report' }>): PresenceReport {
    this.#number += 1;
    return {
      gatewayId: command.gateway,
      number: command.late ? this.#number - 5 : this.#number,
      connected: command.connected.map(entryOf),
      disconnected: command.disconnected.map(([id, since]) => [...entryOf(id), since]),
      ...(command.replaced
        ? {
            replaced: {
              bucket: command.replaced.bucket,
              users: command.replaced.users
                .map(entryOf)
                .filter(([, hash]) => hash % 256 === command.replaced?.bucket),
            },
          }
        : {}),
      digest: command.digest,
    };
  }
}

function sorted(located: Awaited<ReturnType<PresenceStore['locate']>>) {
  return located && [...located].map(([id, there]) => [id, [...there].sort()]).sort();
}

test('memory and Redis give the same answers to the same calls', async () => {
  const epoch: Command[] = [{ do: 'sweep' }];
  const settled: Command[] = [
    ...epoch,
    ...Array.from({ length: 4 }, (): Command[] => [
      { do: 'pass', milliseconds: 2_500 },
      { do: 'sweep' },
    ]).flat(),
    { do: 'settle' },
  ];
  const seen = { claims: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom([], epoch, settled, settled),
      fc.array(command, { minLength: 20, maxLength: 80 }),
      async (beginning, commands) => {
        let now = PresenceWorld.begin;
        const clock = () => now;
        const memory = createMemoryPresenceStore({ durations, clock });
        const prefix = server.newPrefix();
        const redis = await openRedisPresenceStore({ url: server.url, durations, clock, prefix });
        const [one, other] = [new Caller(memory), new Caller(redis)];
        try {
          for (const next of [...beginning, ...commands]) {
            if (next.do === 'pass') {
              now += next.milliseconds;
              continue;
            }
            const answer = await one.call(next);
            expect(await other.call(next)).toEqual(answer);
            seen.claims += next.do === 'claim' && Array.isArray(answer) ? answer.length : 0;
            seen.refused += String(answer).startsWith('refused') ? 1 : 0;
          }
          const keys = await server.keysOf(prefix);
          expect(keys.filter((key) => key.startsWith('user:'))).toHaveLength(memory.users);
        } finally {
          await redis.close();
          await server.empty(prefix);
        }
      },
    ),
    { numRuns: 150 },
  );
  // The sequences got somewhere.
  expect(seen.claims).toBeGreaterThan(100);
  expect(seen.refused).toBeGreaterThan(0);
}, 120_000);
