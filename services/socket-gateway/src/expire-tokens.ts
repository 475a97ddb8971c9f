import type { ChatSocket } from './chat-socket.ts';

export interface TokenExpiry {
  /** Watches a socket, or watches it anew after its token was renewed. */
  watch(socket: ChatSocket): void;
  forget(socket: ChatSocket): void;
  stop(): void;
}

/**
 * Ends sockets whose token has expired, within a second of it. One timer for all of them: sockets
 * wait in the second in which they expire, so idle ones cost nothing.
 */
export function createTokenExpiry(options: { expire: (socket: ChatSocket) => void }): TokenExpiry {
  const due = new Map<number, Set<ChatSocket>>();
  const secondOf = new Map<ChatSocket, number>();

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

  function check(): void {
    const now = Date.now() / 1000;
    // At most one key for each second of a token's life.
    for (const [second, together] of [...due]) {
      if (second <= now) {
        for (const socket of [...together]) {
          forget(socket);
          options.expire(socket);
        }
      }
    }
  }

  const timer = setInterval(check, 500);
  timer.unref();

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
    },
    forget,
    stop() {
      clearInterval(timer);
      due.clear();
      secondOf.clear();
    },
  };
}
