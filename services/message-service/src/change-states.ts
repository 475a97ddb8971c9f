import {
  AppError,
  type ChatRequest,
  type ChatResult,
  type ConversationId,
  type MessageRequest,
  notFound,
  type ReactionRequest,
  type ReadRequest,
  toWireError,
} from '@bambochat/protocol';
import type { RoomEmitter } from '@bambochat/rooms';
import {
  type Change,
  type DirectoryStore,
  type MessageStore,
  type SyncStore,
  unreadOf,
} from '@bambochat/stores';

export type StateRequest = Exclude<ChatRequest, MessageRequest>;

export interface StateStores {
  messageStore: Pick<MessageStore, 'seqOf' | 'react' | 'headPositions'>;
  directoryStore: Pick<DirectoryStore, 'markRead'>;
  syncStore: Pick<SyncStore, 'appendChanges'>;
}

/** A mark or a reaction that is stored, or refused; the room has yet to hear of it. */
export interface ChangedState {
  request: StateRequest;
  result: ChatResult;
  announce(emitter: RoomEmitter): void;
}

/** Conversations that one command changes at a time. */
const CONVERSATIONS_AT_ONCE = 8;

/**
 * Stores marks and reactions, those of one conversation one after the other, and names them in its
 * journal: the state first and the journal second, so that who reads the journal finds the state.
 * Every step may be repeated.
 *
 * @param redelivered an earlier try may have stored these and said nothing
 * @returns in the order of the requests
 * @throws AppError `UNAVAILABLE`: any number of them may be stored; repeat the whole call
 */
export async function changeStates(
  stores: StateStores,
  requests: readonly StateRequest[],
  redelivered: boolean,
): Promise<ChangedState[]> {
  const groups = [...Map.groupBy(requests, ({ conversationId }) => conversationId)];
  const changed = new Map<StateRequest, ChangedState>();
  for (let from = 0; from < groups.length; from += CONVERSATIONS_AT_ONCE) {
    const some = groups.slice(from, from + CONVERSATIONS_AT_ONCE);
    await Promise.all(
      some.map(async ([conversationId, group]) => {
        const states = await changeConversation(stores, conversationId, group, redelivered);
        for (const state of states) {
          changed.set(state.request, state);
        }
      }),
    );
  }
  return requests.flatMap((request) => changed.get(request) ?? []);
}

interface Step {
  state: ChangedState;
  /** Absent: there is nothing that others would have to hear. */
  change?: Change;
}

async function changeConversation(
  stores: StateStores,
  conversationId: ConversationId,
  requests: readonly StateRequest[],
  redelivered: boolean,
): Promise<ChangedState[]> {
  const steps: Step[] = [];
  for (const request of requests) {
    steps.push(
      request.kind === 'read'
        ? await markRead(stores, request, redelivered)
        : await react(stores, request),
    );
  }
  const changes = steps.flatMap(({ change }) => change ?? []);
  if (changes.length > 0) {
    await stores.syncStore.appendChanges(conversationId, changes);
  }
  return steps.map(({ state }) => state);
}

async function markRead(
  { messageStore, directoryStore }: StateStores,
  request: ReadRequest,
  redelivered: boolean,
): Promise<Step> {
  const { conversationId, userId, messageId, ref } = request;
  const seq = await messageStore.seqOf(conversationId, messageId);
  if (seq === null) {
    return refused(request, notFound('Message'));
  }
  const mark = await directoryStore.markRead(conversationId, userId, seq);
  if (mark === null) {
    return refused(request, notFound('Conversation'));
  }
  const { readSeq } = mark;
  const head = (await messageStore.headPositions([conversationId])).get(conversationId);
  const result = { ref, unread: unreadOf({ userId, readSeq }, head) };
  // An earlier try may have moved it to here and died before it told anybody.
  if (!mark.moved && !(redelivered && readSeq === seq)) {
    return { state: { request, result, announce() {} } };
  }
  return {
    state: {
      request,
      result,
      announce(emitter) {
        const update = { conversationId, userId, messageId, seq };
        emitter.toConversation(conversationId, 'message_read_update', update);
      },
    },
    change: { kind: 'read', userId },
  };
}

async function react({ messageStore }: StateStores, request: ReactionRequest): Promise<Step> {
  const { conversationId, messageId, userId, reactionType, requestId, ref } = request;
  const step = { userId, type: reactionType, requestId };
  const outcome = await messageStore.react(conversationId, messageId, step);
  if (outcome === 'absent') {
    return refused(request, notFound('Message'));
  }
  if (outcome === 'full') {
    return refused(request, new AppError('CONFLICT', 'Too many users react to this message'));
  }
  const { seq, reactions } = outcome;
  return {
    state: {
      request,
      result: { ref, reactions },
      announce(emitter) {
        const update = { conversationId, messageId, reactions };
        emitter.toConversation(conversationId, 'reaction_update', update);
      },
    },
    change: { kind: 'reaction', messageId, seq },
  };
}

function refused(request: StateRequest, error: AppError): Step {
  const result = { ref: request.ref, error: toWireError(error) };
  return { state: { request, result, announce() {} } };
}
