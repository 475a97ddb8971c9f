import type { StoredRow } from './outbox-storage.ts';

/** What one page tells the others that share its outbox. */
export type OutboxNotice =
  /** With the row: what a tab writes into Web Storage, others may read a little later. */
  | { type: 'added'; row: StoredRow }
  | { type: 'confirmed'; message: unknown }
  | { type: 'refused'; clientMessageId: string; conversationId: string; error: unknown };

/** Decides which of several pages sends what is in the outbox they share, and lets them talk. */
export interface OutboxTurn {
  /** Asks for the turn; `onGranted` is called once, when it comes. */
  take(onGranted: () => void): void;
  /** Gives it up, or stops waiting. */
  release(): void;
  tell(notice: OutboxNotice): void;
  close(): void;
}

/** Nobody shares the outbox, or the platform offers no way to agree: always one's turn. */
function everyonesTurn(): Pick<OutboxTurn, 'take' | 'release'> {
  return { take: (onGranted) => onGranted(), release() {} };
}

/** The page that holds the Web Lock sends; it passes on when that page is offline or gone. */
function lockedTurn(locks: LockManager, name: string): Pick<OutboxTurn, 'take' | 'release'> {
  let stop = new AbortController();
  return {
    take(onGranted) {
      stop.abort();
      const mine = new AbortController();
      stop = mine;
      locks
        .request(name, { signal: mine.signal }, async () => {
          if (mine.signal.aborted) {
            return;
          }
          onGranted();
          // Held until released.
          await new Promise<void>((resolve) => {
            mine.signal.addEventListener('abort', () => resolve(), { once: true });
          });
        })
        .catch(() => {
          // Released while it waited. Where locks are forbidden there is nobody to share with.
          if (!mine.signal.aborted) {
            onGranted();
          }
        });
    },
    release() {
      stop.abort();
    },
  };
}

/** @param name what pages that share an outbox agree on; null when there are no others */
export function createOutboxTurn(
  name: string | null,
  onNotice: (notice: OutboxNotice) => void,
): OutboxTurn {
  const locks = name === null ? undefined : globalThis.navigator?.locks;
  const turn = name === null || locks === undefined ? everyonesTurn() : lockedTurn(locks, name);
  // Pages only: in Node an open channel keeps the process alive, and nobody shares an outbox there.
  const canTalk = name !== null && typeof document !== 'undefined';
  const channel =
    canTalk && typeof BroadcastChannel !== 'undefined' ? new BroadcastChannel(name) : null;
  if (channel !== null) {
    channel.onmessage = ({ data }: MessageEvent<OutboxNotice>) => onNotice(data);
  }
  return {
    ...turn,
    tell: (notice) => channel?.postMessage(notice),
    close() {
      turn.release();
      channel?.close();
    },
  };
}
