import type { ChatSocket } from './chat-socket.ts';

/** Milliseconds. */
const LOOK_AGAIN_AFTER = 10_000;

export interface TokenExpiry {
  /** Watches a socket, or watches it anew after its token was renewed. */
  watch(socket: ChatSocket): void;
  forget(socket: ChatSocket): void;
  stop(): void;
}

/**
 * Ends sockets whose token has expired, within a second of it. One timer for all of them, for the
 * second in which the next one expires: idle sockets cost nothing, and wake nobody up.
 */
export function createTokenExpiry(options: { expire: (socket: ChatSocket) => void }): TokenExpiry {
  const due = new Map<number, Set<ChatSocket>>();
  const secondOf = new Map<ChatSocket, number>();
  let timer: NodeJS.Timeout | undefined;
  let timedFor = Number.POSITIVE_INFINITY;

  function forget(socket: ChatSocket): void {
    const second = secondOf.get(socket);
    if (second === undefined) {
      return;
    }
    secondOf.delete(socket);
    const together = due.get(second);
    together?.delete(socket);
    if (together?.size === 0) {
      due.delete(second);
    }
  }

  function wakeUpIn(second: number): void {
    clearTimeout(timer);
    timedFor = second;
    // Again after a while: clocks are set, and timers have a longest delay.
    timer = setTimeout(check, Math.min(Math.max(second * 1000 - Date.now(), 0), LOOK_AGAIN_AFTER));
    timer.unref();
  }

  function check(): void {
    timedFor = Number.POSITIVE_INFINITY;
    const now = Date.now() / 1000;
    let next = Number.POSITIVE_INFINITY;
    // At most one key for each second of a token's life.
    for (const [second, together] of [...due]) {
      if (second <= now) {
        for (const socket of [...together]) {
          forget(socket);
          options.expire(socket);
        }
      } else {
        next = Math.min(next, second);
      }
    }
    if (next < timedFor) {
      wakeUpIn(next);
    }
  }

  return {
    watch(socket) {
      forget(socket);
      // Rounded up: never before its time.
      const second = Math.ceil(socket.data.expiresAt / 1000);
      secondOf.set(socket, second);
      const together = due.get(second);
      if (together === undefined) {
        due.set(second, new Set([socket]));
      } else {
        together.add(socket);
      }
      if (second < timedFor) {
        wakeUpIn(second);
      }
    },
    forget,
    stop() {
      clearTimeout(timer);
      timedFor = Number.NEGATIVE_INFINITY;
      due.clear();
      secondOf.clear();
    },
  };
}
