import { randomUUID } from 'node:crypto';
import { connectNats, createNatsEventBus } from '@bambochat/messaging/nats';
import {
  type ConversationsOfAnswer,
  conversationsOfRequestSchema,
  type PresenceReplicaId,
  type PresenceReportAnswer,
  type SnapshotsAnswer,
  snapshotsRequestSchema,
  subjects,
} from '@bambochat/protocol';
import { conversationOfMember } from './cast.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
/** Milliseconds between two heartbeats of a gateway, as presence-service asks for. */
const HEARTBEAT = 5000;

/**
 * Answers what gateways ask the directory and presence-service, by arithmetic, so that nothing
 * behind the gateways takes part in the figures.
 */
export async function playServices(natsUrl: string): Promise<AsyncDisposable> {
  const connection = await connectNats({ url: natsUrl, name: 'played-services', logger: silent });
  const bus = createNatsEventBus({ connection });
  const replicaId = randomUUID() as string as PresenceReplicaId;

  async function conversationsOf(payload: unknown): Promise<ConversationsOfAnswer> {
    const { userId } = conversationsOfRequestSchema.parse(payload);
    return { conversationIds: [conversationOfMember(userId)], endedSessions: [] };
  }
  async function takeReport(): Promise<PresenceReportAnswer> {
    return { replicaId, nextReportIn: HEARTBEAT, buckets: null, settled: true };
  }
  async function nobodyOnline(payload: unknown): Promise<SnapshotsAnswer> {
    const { userIds } = snapshotsRequestSchema.parse(payload);
    return { snapshots: userIds.map((userId) => ({ userId, online: [] })) };
  }
  bus.respond(subjects.conversationsOf, conversationsOf, { queue: 'played' });
  bus.respond(subjects.presenceReport, takeReport, { queue: 'played' });
  bus.respond(subjects.presenceReportTo(replicaId), takeReport, { queue: 'played' });
  bus.respond(subjects.presenceSnapshots, nobodyOnline, { queue: 'played' });
  await bus.flush();
  return { [Symbol.asyncDispose]: () => connection.drain() };
}
