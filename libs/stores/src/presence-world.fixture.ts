import {
  type GatewayId,
  type PresenceReport,
  ROSTER_BUCKETS,
  type RosterEntry,
  type UserId,
} from '@bambochat/protocol';
import type {
  Claim,
  PresenceDurations,
  PresenceStore,
  ReportOutcome,
  SweepOutcome,
} from './presence-store.ts';

export const durations: PresenceDurations = {
  lease: 15_000,
  grace: 5_000,
  warmUp: 10_000,
  claim: 5_000,
};

export interface PresenceHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  doors(): readonly [PresenceStore, PresenceStore];
  /** Takes everything away, as a restart of the engine does. */
  empty(): Promise<void>;
  /** Of how many users anything is kept. */
  users(): Promise<number>;
  close(): Promise<void>;
}

export type OpenPresence = (clock: () => number) => Promise<PresenceHarness>;
/** A new world for each test, which ends with the test. */
export type NewWorld = () => Promise<PresenceWorld>;

export const userId = (name: string) => name as UserId;

/** A store, its time, and the gateways that report to it. */
export class PresenceWorld {
  static readonly begin = Date.UTC(2030, 0, 1);
  /** When presence was last looked after, as every sweep of this world says. */
  static readonly aliveAt = PresenceWorld.begin - 60_000;

  /** Real milliseconds. */
  now = PresenceWorld.begin;
  readonly #gateways = new Set<PlayedGateway>();
  #harness: PresenceHarness | undefined;
  #calls = 0;

  static async open(open: OpenPresence): Promise<PresenceWorld> {
    const world = new PresenceWorld();
    world.#harness = await open(() => world.now);
    return world;
  }

  get harness(): PresenceHarness {
    if (!this.#harness) {
      throw new Error('the world has not been opened');
    }
    return this.#harness;
  }

  /** The one door, then the other. */
  get store(): PresenceStore {
    this.#calls += 1;
    return this.harness.doors()[this.#calls % 2 === 0 ? 0 : 1];
  }

  /** A gateway that reports as long as it lives. */
  gateway(id: string): PlayedGateway {
    const gateway = new PlayedGateway(this, id as GatewayId);
    this.#gateways.add(gateway);
    return gateway;
  }

  /** The gateway falls silent. */
  silence(gateway: PlayedGateway): void {
    this.#gateways.delete(gateway);
  }

  wake(gateway: PlayedGateway): void {
    this.#gateways.add(gateway);
  }

  /** Nobody looks meanwhile. */
  leap(milliseconds: number): void {
    this.now += milliseconds;
  }

  /** Sweeps and heartbeats go on meanwhile. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    while (this.now < end) {
      this.now = Math.min(this.now + 500, end);
      await this.sweep();
      for (const gateway of this.#gateways) {
        await gateway.report();
      }
    }
  }

  /** Until there is nothing more to do. */
  async sweep(limit = 500): Promise<SweepOutcome> {
    let outcome: SweepOutcome;
    let recover = false;
    do {
      outcome = await this.store.sweep({ aliveAt: PresenceWorld.aliveAt, limit });
      recover ||= outcome.recover;
    } while (outcome.more);
    return { ...outcome, recover };
  }

  /** Begins an epoch and recovers: `wereOnline` is what the status store knows. */
  async settle(wereOnline: readonly string[] = []): Promise<void> {
    await this.sweep();
    await this.pass(durations.warmUp - 1);
    this.leap(1);
    if (!(await this.sweep()).recover) {
      throw new Error('the sweep after the warm-up did not ask for the recovery');
    }
    await this.store.declareLost(wereOnline.map(userId));
    await this.store.settle();
  }

  /** What an announcer does that meets no trouble. */
  async announce(): Promise<Claim[]> {
    const claims = await this.store.claim(500);
    await this.store.commit(claims);
    return claims;
  }
}

/** A settled world with one gateway, whose users are known to be here. */
export async function gatewayWith(newWorld: NewWorld, came: readonly string[]) {
  const world = await newWorld();
  await world.settle();
  const gateway = world.gateway('g1');
  await gateway.report({ came });
  await world.announce();
  return { world, gateway };
}

type Departure = string | readonly [name: string, ago: number];

interface Changes {
  readonly came?: readonly string[];
  readonly went?: readonly Departure[];
  readonly replaced?: number;
}

/** A gateway as the store sees it, with a digest that is always right. */
export class PlayedGateway {
  readonly id: GatewayId;
  readonly roster = new Map<UserId, number>();
  number = 0;
  readonly #world: PresenceWorld;

  constructor(world: PresenceWorld, id: GatewayId) {
    this.#world = world;
    this.id = id;
  }

  /** What the next report would be; the roster has the changes afterwards. */
  next({ came = [], went = [], replaced }: Changes = {}): PresenceReport {
    const departures = went.map((one): [UserId, number, number] => {
      const [name, ago] = typeof one === 'string' ? [one, 0] : one;
      this.roster.delete(userId(name));
      return [userId(name), this.hash(name), ago];
    });
    const arrivals = came.map((name) => this.enter(name));
    this.number += 1;
    return {
      gatewayId: this.id,
      number: this.number,
      connected: arrivals,
      disconnected: departures,
      ...(replaced === undefined ? {} : { replaced: this.part(replaced) }),
      digest: { users: this.roster.size, sum: sumOf([...this.roster.values()]) },
    };
  }

  report(changes: Changes = {}): Promise<ReportOutcome> {
    return this.#world.store.report(this.next(changes));
  }

  /** A device connects and the store never hears of it. */
  enter(name: string): RosterEntry {
    this.roster.set(userId(name), this.hash(name));
    return [userId(name), this.hash(name)];
  }

  /** Replaces every part that differs, and says which. */
  async heal(outcome: ReportOutcome): Promise<number[]> {
    const theirs = new Map(outcome.buckets ?? []);
    const own = new Map<number, number>();
    for (const hash of this.roster.values()) {
      const bucket = hash % ROSTER_BUCKETS;
      own.set(bucket, (own.get(bucket) ?? 0) + hash);
    }
    const different = [...new Set([...theirs.keys(), ...own.keys()])]
      .filter((bucket) => (theirs.get(bucket) ?? 0) !== (own.get(bucket) ?? 0))
      .sort((one, other) => one - other);
    for (const bucket of different) {
      await this.report({ replaced: bucket });
    }
    return different;
  }

  bucket(name: string): number {
    return this.hash(name) % ROSTER_BUCKETS;
  }

  part(bucket: number): { bucket: number; users: RosterEntry[] } {
    const users = [...this.roster].filter(([, hash]) => hash % ROSTER_BUCKETS === bucket);
    return { bucket, users };
  }

  /** FNV-1a, 32 bit. */
  hash(name: string): number {
    let hash = 0x811c9dc5;
    for (const character of `${this.id}${name}`) {
      hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
    return hash >>> 0;
  }
}

function sumOf(hashes: readonly number[]): number {
  return hashes.reduce((sum, hash) => sum + hash, 0);
}

/** What friends would make of the claims: who came, who went. */
export function changesIn(claims: readonly Claim[]): string[] {
  return claims.map(({ userId: id, online }) => `${id} ${online ? 'on' : 'off'}`).sort();
}
