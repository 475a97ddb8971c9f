import { setTimeout as delay } from 'node:timers/promises';
import {
  ACTIVITY_CONVERSATIONS_MAX,
  type ConversationActivity,
  type ConversationId,
} from '@bambochat/protocol';
import { conversationIdOf, conversationRoom } from '@bambochat/rooms';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { DirectoryClient } from './directory-client.ts';
import type { HeardMessages } from './heard-messages.ts';

/**
 * The clocks of services differ. By how much at most is a guess; too small a one leaves a client
 * uninformed until it looks by itself, too great a one tells clients who have missed nothing.
 */
const MESSAGE_CLOCK_MARGIN = 2 * 3_600_000;
/** Marks and reactions: shorter, for nearly every conversation has some in two hours. */
const CHANGE_CLOCK_MARGIN = 60_000;
const ATTEMPTS = 3;
const RETRY_AFTER = 500;

/**
 * The local sockets in whose rooms something was said or changed that this gateway has not heard,
 * by one question to the directory for each {@link ACTIVITY_CONVERSATIONS_MAX} rooms.
 *
 * A room in which messages were heard has missed one if its newest has a greater `seq`. Where none
 * was heard yet, and for what has no `seq`, time decides: something since `since`.
 *
 * @param options.since milliseconds since the epoch; null: look only where `seq` tells
 * @throws AppError `UNAVAILABLE` when the directory was not reached in three attempts
 */
export async function findMissedEvents(options: {
  server: ChatServer;
  directory: Pick<DirectoryClient, 'activity'>;
  heard: Pick<HeardMessages, 'lastSeq'>;
  since: number | null;
}): Promise<Set<ChatSocket>> {
  const { server, directory, heard, since } = options;
  const { adapter, sockets } = server.of('/');
  const concerned = new Set<ChatSocket>();

  function hasMissed({
    conversationId,
    lastSeq,
    messageAt,
    changedAt,
  }: ConversationActivity): boolean {
    const seq = heard.lastSeq(conversationId);
    if (seq !== undefined && lastSeq > seq) {
      return true;
    }
    return (
      since !== null &&
      ((seq === undefined && messageAt >= since - MESSAGE_CLOCK_MARGIN) ||
        changedAt >= since - CHANGE_CLOCK_MARGIN)
    );
  }

  async function ask(conversationIds: ConversationId[]): Promise<ConversationActivity[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await directory.activity(conversationIds);
      } catch (error) {
        if (attempt === ATTEMPTS) {
          throw error;
        }
        await delay(RETRY_AFTER, undefined, { ref: false });
      }
    }
  }

  const waiting = [...adapter.rooms.keys()]
    .map(conversationIdOf)
    .filter((conversationId) => conversationId !== null)
    .filter((conversationId) => since !== null || heard.lastSeq(conversationId) !== undefined);
  while (waiting.length > 0) {
    for (const activity of await ask(waiting.splice(0, ACTIVITY_CONVERSATIONS_MAX))) {
      if (hasMissed(activity)) {
        for (const id of adapter.rooms.get(conversationRoom(activity.conversationId)) ?? []) {
          const socket = sockets.get(id);
          if (socket !== undefined) {
            concerned.add(socket);
          }
        }
      }
    }
  }
  return concerned;
}
