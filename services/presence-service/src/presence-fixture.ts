import { createHash, randomUUID } from 'node:crypto';
import type { EventBus } from '@bambochat/messaging';
import {
  type FriendshipId,
  type GatewayId,
  type PresenceReport,
  type PresenceReportAnswer,
  presenceReportAnswerSchema,
  type RosterEntry,
  type StatusChange,
  snapshotsAnswerSchema,
  statusChangesSchema,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import { createLogger, createMetrics } from '@bambochat/runtime';
import type { FriendStore, PresenceDurations, PresenceStore, StatusStore } from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { createPresenceService, type PresenceServiceOptions } from './index.ts';

/** Opens what a deployment is made of, with nothing in it. */
export type OpenHouse = (durations?: Partial<PresenceDurations>) => Promise<House>;

/** What the replicas of a deployment share. */
export interface House extends AsyncDisposable {
  durations: PresenceDurations;
  statusStore: StatusStore;
  friendStore: FriendStore;
  /** A bus of its own for each process. */
  bus(): EventBus;
  /** The presence store, for each process. */
  openPresence(): Promise<PresenceStore>;
  /** Everything in the presence store is lost. */
  emptyPresence(): Promise<void>;
}

export const testDurations: PresenceDurations = {
  lease: 15_000,
  grace: 100,
  warmUp: 300,
  claim: 5000,
};

export interface Replica extends AsyncDisposable {
  presenceStore: PresenceStore;
  drain(): Promise<void>;
  /** Resolves when nothing waits to be announced. */
  quiet(): Promise<void>;
  /** The value of a metric, labels included in its name; 0 while it has none. */
  metric(name: string): Promise<number>;
  /** Messages that were logged, of level info and above. */
  logged: string[];
}

type Parts = Pick<PresenceServiceOptions, 'presenceStore' | 'statusStore' | 'friendStore' | 'bus'>;

/** @param alter what is played in place of an engine */
export async function startReplica(
  house: House,
  options: {
    drainTimeout?: number;
    alter?: (parts: Parts) => Partial<Parts>;
  } = {},
): Promise<Replica> {
  const { statusStore, friendStore, durations } = house;
  const parts: Parts = {
    presenceStore: await house.openPresence(),
    statusStore,
    friendStore,
    bus: house.bus(),
  };
  Object.assign(parts, options.alter?.(parts));
  const metrics = createMetrics({ processMetrics: false });
  const logged: string[] = [];
  const service = createPresenceService({
    ...parts,
    durations,
    drainTimeout: options.drainTimeout ?? 1000,
    logger: createLogger({
      name: 'presence-test',
      level: 'info',
      stream: { write: (line) => void logged.push(JSON.parse(line).msg) },
    }),
    metrics,
  });
  await service.start();
  let drained: Promise<void> | null = null;
  const drain = () => {
    drained ??= service.drain();
    return drained;
  };
  return {
    presenceStore: parts.presenceStore,
    logged,
    drain,
    async quiet() {
      await waitFor(async () => (await parts.presenceStore.size()).pending === 0, {
        describe: 'nothing to be announced',
      });
    },
    async metric(name) {
      const { body } = await metrics.render();
      const line = body.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length) ?? 0);
    },
    async [Symbol.asyncDispose]() {
      await drain();
      await service.stop();
    },
  };
}

export interface PlayedGateway extends Disposable {
  gatewayId: GatewayId;
  /** What it was told so far, in order. */
  changes: StatusChange[];
  connect(...userIds: UserId[]): Promise<PresenceReportAnswer>;
  /** @param ago milliseconds */
  disconnect(userIds: UserId[], ago?: number): Promise<PresenceReportAnswer>;
  /** @param subject to whom; default: any replica */
  heartbeat(overrides?: Partial<PresenceReport>, subject?: string): Promise<PresenceReportAnswer>;
  /** Tells everything it has, as after an answer whose digest differs. */
  retell(): Promise<void>;
  settled(): Promise<void>;
  snapshots(userIds: UserId[]): Promise<Record<string, UserId[]>>;
  /** Changes of one user that were told to another here, as `online` or `offline`. */
  heard(to: UserId, about: UserId): string[];
  /** Waits until exactly that was heard. */
  hears(to: UserId, about: UserId, expected: string[]): Promise<void>;
}

/** A gateway that reports what a test says and keeps what it is told. */
export async function playGateway(house: House): Promise<PlayedGateway> {
  const bus = house.bus();
  const gatewayId = randomUUID() as GatewayId;
  const changes: StatusChange[] = [];
  const keep = (payload: unknown) => {
    changes.push(...statusChangesSchema.parse(payload).changes);
  };
  const subscriptions = [
    bus.subscribe(subjects.statusChangesFor(gatewayId), keep),
    bus.subscribe(subjects.statusChanges, keep),
  ];
  await bus.flush();
  const roster = new Map<UserId, number>();
  let number = 0;

  const entry = (userId: UserId): RosterEntry => [
    userId,
    createHash('sha256').update(`${gatewayId}${userId}`).digest().readUInt32BE(),
  ];

  async function report(
    content: Partial<PresenceReport>,
    subject: string = subjects.presenceReport,
  ): Promise<PresenceReportAnswer> {
    number += 1;
    let sum = 0;
    for (const hash of roster.values()) {
      sum += hash;
    }
    const whole: PresenceReport = {
      gatewayId,
      number,
      connected: [],
      disconnected: [],
      digest: { users: roster.size, sum },
      ...content,
    };
    return presenceReportAnswerSchema.parse(await bus.request(subject, whole));
  }

  const gateway: PlayedGateway = {
    gatewayId,
    changes,
    connect(...userIds) {
      const connected = userIds.map(entry);
      for (const [userId, hash] of connected) {
        roster.set(userId, hash);
      }
      return report({ connected });
    },
    disconnect(userIds, ago = 0) {
      for (const userId of userIds) {
        roster.delete(userId);
      }
      return report({ disconnected: userIds.map((userId) => [...entry(userId), ago]) });
    },
    heartbeat: (overrides = {}, subject) => report(overrides, subject),
    async retell() {
      await waitFor(async () => {
        const { buckets } = await report({ connected: [...roster] });
        return buckets === null;
      });
    },
    async settled() {
      await waitFor(async () => (await report({})).settled, { describe: 'a settled epoch' });
    },
    async snapshots(userIds) {
      const answer = await bus.request(subjects.presenceSnapshots, { userIds });
      const { snapshots } = snapshotsAnswerSchema.parse(answer);
      return Object.fromEntries(snapshots.map(({ userId, online }) => [userId, online]));
    },
    heard(to, about) {
      return changes
        .filter((change) => change.userId === about && change.to.includes(to))
        .map(({ online }) => (online ? 'online' : 'offline'));
    },
    async hears(to, about, expected) {
      await waitFor(() => gateway.heard(to, about).length >= expected.length, {
        describe: `${expected} of ${about} told to ${to}`,
      });
      if (gateway.heard(to, about).join() !== expected.join()) {
        throw new Error(`${to} was told of ${about}: ${gateway.heard(to, about)}`);
      }
    },
    [Symbol.dispose]() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
    },
  };
  return gateway;
}

let users = 0;

/** Ids that no other test uses. */
export function newUsers(...names: string[]): UserId[] {
  users += 1;
  const run = randomUUID().slice(0, 8);
  return names.map((name) => `${name}-${run}-${users}` as UserId);
}

export function newUser(name: string): UserId {
  return newUsers(name)[0] as UserId;
}

export async function befriend(
  { friendStore }: Pick<House, 'friendStore'>,
  userId: UserId,
  ...others: UserId[]
): Promise<void> {
  const ask = (requesterId: UserId, addresseeId: UserId) =>
    friendStore.request({
      _id: uuidv7() as FriendshipId,
      requesterId,
      addresseeId,
      createdAt: new Date().toISOString(),
    });
  for (const other of others) {
    await ask(userId, other);
    // Asking back accepts.
    await ask(other, userId);
  }
}

/** The same port with some of its methods replaced. */
export function replaceMethods<Port extends object>(port: Port, methods: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, name) {
      const replaced: unknown = Reflect.get(methods, name);
      const value: unknown = replaced ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(replaced ? methods : target) : value;
    },
  });
}

/** The same port; every call is told to `onCall` first, which may reject in its place. */
export function watchCalls<Port extends object>(
  port: Port,
  onCall: (name: string) => void | Promise<void>,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') {
        return value;
      }
      return async (...args: unknown[]) => {
        await onCall(String(name));
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** A bus whose connection can be cut: what is published then is lost, as with a broker. */
export function cuttableBus(bus: EventBus): EventBus & { cut: boolean } {
  return {
    ...bus,
    cut: false,
    publish(subject, payload) {
      if (!this.cut) {
        bus.publish(subject, payload);
      }
    },
    async flush() {
      return !this.cut && (await bus.flush());
    },
  };
}
