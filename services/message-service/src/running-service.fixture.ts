import { type CommandLog, type EventBus, partitionOf } from '@bambochat/messaging';
import { createMemoryCommandLog, createMemoryEventBus } from '@bambochat/messaging/memory';
import {
  type ChatRequest,
  type ChatRequestsCommand,
  type ChatResult,
  type ConversationId,
  chatResultsSchema,
  type GatewayId,
  subjects,
  type UserId,
} from '@bambochat/protocol';
import type { Interruption, RoomEmitter } from '@bambochat/rooms';
import { createLogger, createMetrics } from '@bambochat/runtime';
import type { MessageStore, SyncStore } from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { createMessageService } from './index.ts';
import { newConversationId, temporaryStores } from './message-fixture.ts';

const gatewayId = 'gateway-1' as GatewayId;

export interface Emitted {
  conversationId: ConversationId;
  event: string;
  payload: unknown;
  exceptSocketId: string | undefined;
}

/** A running message-service on real SQLite and the memory log and bus. */
export async function startService(
  overrides: {
    wrapStore?: (store: MessageStore) => MessageStore;
    wrapSyncStore?: (store: SyncStore) => SyncStore;
    commandLog?: CommandLog;
    bus?: EventBus;
    echoToSender?: boolean;
  } = {},
) {
  const stores = temporaryStores();
  const bus = overrides.bus ?? createMemoryEventBus();
  const commandLog = overrides.commandLog ?? createMemoryCommandLog({ partitions: 2 });
  const emitted: Emitted[] = [];
  const results: ChatResult[] = [];
  const emitter: RoomEmitter = {
    toConversation(conversationId, event, payload, options) {
      emitted.push({ conversationId, event, payload, exceptSocketId: options?.exceptSocketId });
    },
    toUser() {},
  };
  const emitsLost = new Set<(interruption: Interruption) => void>();
  const onEmitsLost = (listener: (interruption: Interruption) => void) => {
    emitsLost.add(listener);
    return { unsubscribe: () => emitsLost.delete(listener) };
  };
  bus.subscribe(subjects.chatResults(gatewayId), (payload) => {
    results.push(...chatResultsSchema.parse(payload).results);
  });
  const metrics = createMetrics({ processMetrics: false });
  const service = createMessageService({
    commandLog,
    bus,
    rooms: { emitter, onEmitsLost },
    messageStore: overrides.wrapStore?.(stores.messageStore) ?? stores.messageStore,
    directoryStore: stores.directoryStore,
    syncStore: overrides.wrapSyncStore?.(stores.syncStore) ?? stores.syncStore,
    settings: {
      ECHO_TO_SENDER: overrides.echoToSender ?? false,
      MEMBERSHIP_CACHE_SIZE: 1000,
      SEQUENCE_CACHE_SIZE: 1000,
    },
    drainTimeout: 5000,
    logger: createLogger({ name: 'test', level: 'silent' }),
    metrics,
  });
  await service.start();
  return {
    stores,
    bus,
    commandLog,
    emitted,
    results,
    metrics,
    loseEmits() {
      for (const listener of emitsLost) {
        listener({ reason: 'lost', since: 1 });
      }
    },
    async conversationOf(...userIds: string[]): Promise<ConversationId> {
      const conversationId = newConversationId();
      const now = new Date().toISOString();
      await stores.directoryStore.createGroup(
        { _id: conversationId, type: 'group', name: null, createdAt: now, updatedAt: now },
        userIds.map((userId) => ({
          conversationId,
          userId: userId as UserId,
          role: 'member' as const,
          joinedAt: now,
          readSeq: 0,
        })),
      );
      return conversationId;
    },
    async append(requests: ChatRequest[]): Promise<void> {
      const command: ChatRequestsCommand = { type: 'chat_requests', gatewayId, requests };
      const partition = partitionOf(requests[0]?.conversationId ?? '', commandLog.partitions);
      await commandLog.append(partition, new TextEncoder().encode(JSON.stringify(command)));
    },
    resultOf: (ref: string) =>
      waitFor(() => results.find((result) => result.ref === ref), { describe: `result ${ref}` }),
    async [Symbol.asyncDispose]() {
      await service.drain();
      await service.stop();
      await stores[Symbol.asyncDispose]();
    },
  };
}
