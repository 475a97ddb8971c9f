import { createBackoff } from './backoff.ts';
import { asChatError, type ChatError } from './chat-error.ts';
import type { ConversationLog } from './conversation-log.ts';
import type { Message, MessagesPage } from './shapes.ts';

/** Milliseconds in which what is missing may still come by itself. */
const PATIENCE = 500;
/** Conversations that are repaired at the same time. */
const AT_ONCE = 4;
const PAGE = 200;

export interface GapRepair {
  /** Looks at a list that may have a gap, and sees to it that it is filled. */
  watch(log: ConversationLog): void;
  /** No more until the next `watch`: the connection is gone, and catching up will do it. */
  stop(): void;
}

/**
 * @param options.fetch `GET /messages`, rejects with a ChatError
 * @param options.onAppended messages that came into the list, in order
 * @param options.onGone the user is no member of the conversation (any more)
 */
export function createGapRepair(options: {
  fetch: (query: { conversationId: string; after: number; limit: number }) => Promise<MessagesPage>;
  onAppended: (log: ConversationLog, messages: Message[]) => void;
  onGone: (log: ConversationLog) => void;
  onError: (error: ChatError) => void;
}): GapRepair {
  /** Each at most once, whatever it is doing: waiting to be looked at, waiting its turn, fetching. */
  const watched = new Map<ConversationLog, ReturnType<typeof setTimeout> | undefined>();
  const ready: ConversationLog[] = [];
  let running = 0;
  let round = 0;

  function lookLater(log: ConversationLog, delay: number): void {
    watched.set(
      log,
      setTimeout(() => {
        watched.set(log, undefined);
        ready.push(log);
        next();
      }, delay),
    );
  }

  function next(): void {
    while (running < AT_ONCE) {
      const log = ready.shift();
      if (log === undefined) {
        return;
      }
      running += 1;
      const mine = round;
      void repair(log, mine).finally(() => {
        if (mine === round) {
          running -= 1;
          next();
        }
      });
    }
  }

  async function repair(log: ConversationLog, mine: number): Promise<void> {
    const backoff = backoffs.get(log) ?? createBackoff();
    backoffs.set(log, backoff);
    while (mine === round && log.hasGap) {
      const before = log.last;
      try {
        const appended = await log.whileLoading(async () => {
          const page = await options.fetch({
            conversationId: log.conversationId,
            after: log.last,
            limit: PAGE,
          });
          return log.receivePage(page.messages);
        });
        options.onAppended(log, appended);
      } catch (error) {
        if (mine !== round) {
          return;
        }
        const failure = asChatError(error);
        if (failure.code === 'NOT_FOUND') {
          watched.delete(log);
          options.onGone(log);
          return;
        }
        options.onError(failure);
      }
      if (mine === round && log.last === before) {
        lookLater(log, PATIENCE + backoff.next());
        return;
      }
    }
    if (mine === round) {
      backoffs.delete(log);
      watched.delete(log);
    }
  }

  const backoffs = new Map<ConversationLog, ReturnType<typeof createBackoff>>();

  return {
    watch(log) {
      if (log.hasGap && !watched.has(log)) {
        lookLater(log, PATIENCE);
      }
    },
    stop() {
      round += 1;
      running = 0;
      ready.length = 0;
      for (const timer of watched.values()) {
        clearTimeout(timer);
      }
      watched.clear();
      backoffs.clear();
    },
  };
}
