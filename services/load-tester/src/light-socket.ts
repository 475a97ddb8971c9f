import { isIPv6 } from 'node:net';
import { WebSocket } from 'ws';

/** What `send_message` and others are answered with: JSON text, parsed by who wants to know more. */
export type Answer = (json: string) => void;

export interface LightSocketOptions {
  /** Of the gateway: `http:` or `https:`. */
  readonly url: string;
  /** For `auth.token` of the handshake. */
  readonly token: string;
  /** Where the connection comes from: a second address of the loopback network has its own ports. */
  readonly localAddress?: string | undefined;
  /** An event of the server; its first argument as JSON text, which is left to the listener. */
  readonly onEvent: (name: string, json: string) => void;
  /** The connection had been open and has ended. */
  readonly onClose: () => void;
}

/** A handshake that the server has refused in words: `code` is of the catalogue in PROTOCOL.md. */
export class RefusedError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Milliseconds from the first packet until the namespace is open. */
const HANDSHAKE_TIMEOUT = 60_000;

/**
 * One Socket.IO connection, spoken by hand over a bare WebSocket (Engine.IO 4, Socket.IO 5, text
 * frames only): no client library, no timers, no parsing of what nobody looks at, so that one
 * process bears thousands beside the servers that it measures. It does not come back by itself.
 */
export class LightSocket {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, Answer>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /**
   * Resolves when the server has said welcome in the namespace `/`.
   *
   * @throws RefusedError when the server says no
   * @throws Error when it cannot be reached (with Node's `code`), or takes longer than a minute
   */
  static open(options: LightSocketOptions): Promise<LightSocket> {
    const url = new URL('/socket.io/?EIO=4&transport=websocket', options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      ...(options.localAddress === undefined
        ? {}
        : { localAddress: options.localAddress, family: isIPv6(options.localAddress) ? 6 : 4 }),
    });
    const light = new LightSocket(socket);
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => fail(new Error('No welcome within a minute')),
        HANDSHAKE_TIMEOUT,
      );
      let isOpen = false;
      function fail(error: Error): void {
        clearTimeout(late);
        socket.terminate();
        reject(error);
      }
      socket.on('error', fail);
      socket.on('close', () => {
        if (isOpen) {
          light.#answers.clear();
          options.onClose();
        } else {
          fail(new Error('Closed before the welcome'));
        }
      });
      socket.on('message', (data: Buffer) => {
        const frame = data.toString();
        if (isOpen) {
          light.#take(frame, options.onEvent);
        } else if (frame.startsWith('0{')) {
          socket.send(`40${JSON.stringify({ token: options.token })}`);
        } else if (frame.startsWith('40{')) {
          isOpen = true;
          clearTimeout(late);
          resolve(light);
        } else if (frame.startsWith('44')) {
          const { message = 'refused', data: details } = JSON.parse(frame.slice(2));
          fail(new RefusedError(details?.code ?? 'UNKNOWN', message));
        }
      });
    });
  }

  /** @param answer gets the acknowledgement, unless the connection ends before */
  emit(event: string, payload: object, answer?: Answer): void {
    let id = '';
    if (answer !== undefined) {
      this.#lastId += 1;
      this.#answers.set(this.#lastId, answer);
      id = String(this.#lastId);
    }
    this.#socket.send(`42${id}["${event}",${JSON.stringify(payload)}]`);
  }

  /** Says goodbye; `onClose` follows. */
  close(): void {
    this.#socket.close();
  }

  /** Breaks the connection without a goodbye. */
  terminate(): void {
    this.#socket.terminate();
  }

  #take(frame: string, onEvent: LightSocketOptions['onEvent']): void {
    if (frame.startsWith('42[')) {
      const end = frame.indexOf('"', 4);
      onEvent(frame.slice(4, end), frame.slice(end + 2, -1));
    } else if (frame === '2') {
      this.#socket.send('3');
    } else if (frame.startsWith('43')) {
      const begin = frame.indexOf('[');
      const id = Number(frame.slice(2, begin));
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      answer?.(frame.slice(begin + 1, -1));
    }
  }
}
