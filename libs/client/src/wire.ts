import { io } from 'socket.io-client';
import { ChatError, errorFromWire, unavailable } from './chat-error.ts';

/** One connection to a gateway, from its handshake to its end. */
export interface Wire {
  /**
   * Emits and waits for the acknowledgement.
   *
   * @throws ChatError what the server answered; `UNAVAILABLE` when the connection ends or nothing
   *   comes within `timeout` ms, and nobody knows what the server did
   */
  request(event: string, payload: object, timeout: number): Promise<Record<string, unknown>>;
  /** Nothing is kept for later: what cannot be sent now is dropped. */
  emitVolatile(event: string, payload: object): void;
  /** Asks the server whether it is there, and tells `disconnected` when it says nothing. */
  check(): void;
  /** Ends it; nothing is heard of it afterwards. */
  close(): void;
}

export interface WireListener {
  connected(): void;
  /** The end: a handshake that failed, with the reason. */
  refused(error: ChatError): void;
  /** The end of a connection that had been there. */
  disconnected(): void;
  event(name: string, payload: unknown): void;
}

export type OpenWire = (token: string, listener: WireListener) => Wire;

/** Milliseconds from the first packet to the server's welcome. */
const HANDSHAKE_TIMEOUT = 20_000;

/** Wires over socket.io-client, without its own reconnection: the connection decides about that. */
export function socketIoWires(options: {
  url: string;
  path: string;
  transports: readonly ('websocket' | 'polling')[];
  /**
   * Milliseconds without a word after a request until the server is asked whether it is there, and
   * again until it is given up.
   */
  patience?: number;
}): OpenWire {
  const { patience = 8000 } = options;
  return (token, listener) => {
    const socket = io(options.url, {
      path: options.path,
      transports: [...options.transports],
      tryAllTransports: true,
      auth: { token },
      reconnection: false,
      forceNew: true,
      timeout: HANDSHAKE_TIMEOUT,
    });
    let ended = false;
    let isChecking = false;
    let heardAt = performance.now();
    socket.io.engine.on('packet', () => {
      heardAt = performance.now();
    });

    function end(): boolean {
      if (ended) {
        return false;
      }
      ended = true;
      clearTimeout(watchdog);
      socket.offAny();
      socket.removeAllListeners();
      socket.disconnect();
      return true;
    }

    /**
     * A connection may be gone without a word, and Engine.IO waits 45 s for its next ping. A gateway
     * answers this request by itself and at once, with a refusal, so a message-service that is slow
     * does not make everybody come anew.
     */
    async function check(): Promise<void> {
      if (isChecking || ended || !socket.connected) {
        return;
      }
      isChecking = true;
      const askedAt = performance.now();
      await socket
        .timeout(patience)
        .emitWithAck('refresh_token', {})
        .catch(() => {});
      isChecking = false;
      if (heardAt < askedAt && end()) {
        listener.disconnected();
      }
    }

    /** Checks once nothing has been heard for a while. Gives what ends it. */
    function watchForSilence(): () => void {
      const began = performance.now();
      let timer: ReturnType<typeof setTimeout>;
      function look(): void {
        const left = Math.max(began, heardAt) + patience - performance.now();
        if (left > 0) {
          timer = setTimeout(look, left);
        } else {
          void check();
        }
      }
      look();
      return () => clearTimeout(timer);
    }

    // A server that takes the transport and never answers would otherwise be waited for.
    const watchdog = setTimeout(() => {
      if (end()) {
        listener.refused(unavailable('The server does not answer'));
      }
    }, HANDSHAKE_TIMEOUT * 1.5);
    socket.on('connect', () => {
      clearTimeout(watchdog);
      listener.connected();
    });
    socket.on('connect_error', (error) => {
      if (end()) {
        const { data } = error as Error & { data?: object };
        listener.refused(
          data === undefined
            ? unavailable('The server cannot be reached', error)
            : errorFromWire({ message: error.message, ...data }),
        );
      }
    });
    socket.on('disconnect', () => {
      if (end()) {
        listener.disconnected();
      }
    });
    socket.onAny((name: string, payload: unknown) => listener.event(name, payload));

    return {
      async request(event, payload, timeout) {
        if (ended || !socket.connected) {
          throw unavailable('There is no connection');
        }
        let answer: unknown;
        const stop = watchForSilence();
        try {
          answer = await socket.timeout(timeout).emitWithAck(event, payload);
        } catch (error) {
          throw unavailable('The server has not answered', error);
        } finally {
          stop();
        }
        if (typeof answer === 'object' && answer !== null && 'success' in answer) {
          if (answer.success === true) {
            return answer as Record<string, unknown>;
          }
          throw errorFromWire('error' in answer ? answer.error : null);
        }
        throw new ChatError('INTERNAL', 'The server answered something unknown', false);
      },
      emitVolatile(event, payload) {
        if (!ended && socket.connected) {
          socket.volatile.emit(event, payload);
        }
      },
      check() {
        void check();
      },
      close() {
        end();
      },
    };
  };
}
