import { type GatewayId, type PresenceReport, type UserId, unavailable } from '@bambochat/protocol';
import type { Redis } from 'ioredis';
import { STANDSTILL } from './presence-clock.ts';
import { type PresenceScript, readPresenceScripts } from './presence-scripts.ts';
import type {
  Claim,
  PresenceDurations,
  PresenceStore,
  ReportOutcome,
  SweepOutcome,
} from './presence-store.ts';
import { closeRedisConnection, openRedisConnection } from './redis-connection.ts';

export interface RedisPresenceOptions {
  /** `redis://` or `rediss://`; Redis 6.2 or newer that evicts nothing (`noeviction`). */
  readonly url: string;
  /** The same for all processes that share the store. */
  readonly durations: PresenceDurations;
  /** Real milliseconds. Default: the clock of Redis, which is one for all. */
  readonly clock?: () => number;
  /** Before every key: two systems on one Redis need two. Default `bambochat`. */
  readonly prefix?: string;
  /** What `CLIENT LIST` of Redis shows. Default `bambochat-presence`. */
  readonly name?: string;
  /** Milliseconds that the first connection may take, with retries. Default 10,000. */
  readonly connectTimeout?: number;
}

type Value = string | number;
type Argument = string | number;
type ScriptedRedis = Redis & Record<PresenceScript, (...args: Argument[]) => Promise<Value[]>>;

/** How many users one script handles at most, so that Redis answers others in between. */
const USERS_PER_SCRIPT = 500;

/**
 * The presence store for any number of processes. Each method is one Lua script, atomic in Redis.
 *
 * @throws Error when the URL or the prefix is not valid, or when Redis cannot be used within
 * `connectTimeout`; see {@link openRedisConnection}.
 */
export async function openRedisPresenceStore(
  options: RedisPresenceOptions,
): Promise<PresenceStore> {
  const prefix = options.prefix ?? 'bambochat';
  if (!/^[\w.:-]+$/.test(prefix)) {
    throw new Error('The prefix of the presence keys may hold A-Z a-z 0-9 _ . : - only');
  }
  const redis = await openRedisConnection({
    url: options.url,
    name: options.name ?? 'bambochat-presence',
    scripts: readPresenceScripts(),
    connectTimeout: options.connectTimeout ?? 10_000,
  });
  return new RedisPresenceStore(redis as ScriptedRedis, prefix, options);
}

class RedisPresenceStore implements PresenceStore {
  readonly #redis: ScriptedRedis;
  /** What stands in braces decides the slot of a Redis Cluster: all keys share one. */
  readonly #clockKey: string;
  readonly #clock: (() => number) | undefined;
  readonly #durations: readonly number[];

  constructor(redis: ScriptedRedis, prefix: string, options: RedisPresenceOptions) {
    const { lease, grace, warmUp, claim } = options.durations;
    this.#redis = redis;
    this.#clockKey = `{${prefix}:presence}:clock`;
    this.#clock = options.clock;
    this.#durations = [STANDSTILL, lease, grace, warmUp, claim];
  }

  async report(report: PresenceReport): Promise<ReportOutcome> {
    const { gatewayId, number, digest, replaced, disconnected, connected } = report;
    const [stale, changed, settled, agrees, ...parts] = await this.#run(
      'presenceReport',
      gatewayId,
      number,
      digest.users,
      digest.sum,
      replaced?.bucket ?? '',
      replaced?.users.length ?? 0,
      disconnected.length,
      connected.length,
      ...(replaced?.users ?? []).flat(),
      ...disconnected.flat(),
      ...connected.flat(),
    );
    return {
      stale: stale === 1,
      changed: changed === 1,
      buckets: agrees === 1 ? null : bucketsOf(parts),
      settled: settled === 1,
    };
  }

  async sweep(options: { aliveAt: number; limit: number }): Promise<SweepOutcome> {
    const [more, pending, recover, settled] = await this.#run(
      'presenceSweep',
      options.aliveAt,
      within(options.limit),
    );
    return {
      more: more === 1,
      pending: pending === 1,
      recover: recover === 1,
      settled: settled === 1,
    };
  }

  async claim(limit: number): Promise<Claim[]> {
    const values = await this.#run('presenceClaim', within(limit));
    return inGroups(values, 6).map(([userId, online, seenAt, changedAt, told, token]) => ({
      userId: userId as UserId,
      online: online === '1',
      seenAt: Number(seenAt),
      changedAt: Number(changedAt),
      told: toldBefore(told),
      token: Number(token),
    }));
  }

  async commit(claims: readonly Claim[]): Promise<void> {
    await this.#run(
      'presenceCommit',
      ...claims.flatMap(({ userId, online, changedAt, token }) => [
        userId,
        online ? 1 : 0,
        changedAt,
        token,
      ]),
    );
  }

  async release(claims: readonly Claim[], delay: number): Promise<void> {
    await this.#run(
      'presenceRelease',
      delay,
      ...claims.flatMap(({ userId, token }) => [userId, token]),
    );
  }

  async locate(userIds: readonly UserId[]): Promise<Map<GatewayId, UserId[]> | null> {
    const [settled, ...places] = await this.#run('presenceLocate', ...userIds);
    if (settled !== 1) {
      return null;
    }
    const located = new Map<GatewayId, UserId[]>();
    for (const [gateway, user] of inGroups(places, 2)) {
      const there = located.get(gateway as GatewayId) ?? [];
      there.push(user as UserId);
      located.set(gateway as GatewayId, there);
    }
    return located;
  }

  async declareLost(userIds: readonly UserId[]): Promise<void> {
    await this.#recovering('presenceDeclareLost', ...userIds);
  }

  async settle(): Promise<void> {
    await this.#recovering('presenceSettle');
  }

  async size(): Promise<{ gateways: number; pending: number; leaving: number }> {
    const [gateways, pending, leaving] = await this.#run('presenceSize');
    return { gateways: Number(gateways), pending: Number(pending), leaving: Number(leaving) };
  }

  async check(): Promise<void> {
    await this.#run('presenceSize');
  }

  async close(): Promise<void> {
    await closeRedisConnection(this.#redis);
  }

  async #recovering(script: PresenceScript, ...args: Argument[]): Promise<void> {
    const held: unknown = await this.#run(script, ...args);
    if (held !== 1) {
      throw unavailable('The claim of the recovery');
    }
  }

  async #run(script: PresenceScript, ...args: Argument[]): Promise<Value[]> {
    const now = this.#clock ? Math.floor(this.#clock()) : '';
    try {
      return await this.#redis[script](this.#clockKey, now, ...this.#durations, ...args);
    } catch (error) {
      throw unavailable('The presence store', withoutCommand(error));
    }
  }
}

/** ioredis hangs the command on its errors: whole scripts and users' ids, which no log should hold. */
function withoutCommand(error: unknown): unknown {
  return error instanceof Error ? new Error(error.message) : error;
}

function within(limit: number): number {
  return Math.max(1, Math.min(limit, USERS_PER_SCRIPT));
}

function bucketsOf(parts: readonly Value[]): [bucket: number, sum: number][] {
  return inGroups(parts, 2)
    .map(([bucket, sum]): [number, number] => [Number(bucket), Number(sum)])
    .sort(([one], [other]) => one - other);
}

function toldBefore(told: Value | undefined): Claim['told'] {
  if (told === '?') {
    return null;
  }
  return told === 'u' ? 'unknown' : told === '1';
}

function inGroups(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: values.length / size }, (_, index) =>
    values.slice(index * size, (index + 1) * size),
  );
}
