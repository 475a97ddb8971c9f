import { waitFor } from '@bambochat/testing';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { expect } from 'vitest';
import { type Answer, type ChatError, expectMessage, type Message } from './contract-shapes.ts';

const EVENTS_MAX = 100_000;
const DEADLINE = 20_000;

export interface ConnectOptions {
  readonly url: string;
  /** Goes into `auth.token` as it is; absent: no `auth`. */
  readonly token?: unknown;
  readonly transports?: ('polling' | 'websocket')[];
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  /** Let the client reconnect by itself, as it does by default. */
  readonly reconnection?: boolean;
}

/** Why the server refused a handshake. */
export interface Refusal {
  readonly message: string;
  readonly code: unknown;
}

export interface HeardEvent {
  readonly name: string;
  readonly payload: unknown;
  /** Milliseconds of the monotonic clock. */
  readonly at: number;
}

/** A stock Socket.IO client that remembers all it hears, in order. */
export class ChatConnection implements Disposable {
  readonly socket: Socket;
  readonly heard: HeardEvent[] = [];
  /** Reasons, one for each time the connection was lost. */
  readonly losses: string[] = [];

  constructor(options: ConnectOptions) {
    this.socket = io(options.url, {
      transports: options.transports ?? ['websocket'],
      reconnection: options.reconnection ?? false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 500,
      forceNew: true,
      autoConnect: false,
      ...('token' in options ? { auth: { token: options.token } } : {}),
      ...(options.headers === undefined ? {} : { extraHeaders: options.headers }),
      ...(options.query === undefined ? {} : { query: options.query }),
    } as Partial<ManagerOptions & SocketOptions>);
    this.socket.onAny((name: string, payload: unknown) => {
      if (this.heard.length >= EVENTS_MAX) {
        throw new Error('A connection of a test hears more than a test can want');
      }
      this.heard.push({ name, payload, at: performance.now() });
    });
    this.socket.on('disconnect', (reason) => this.losses.push(reason));
  }

  /** Payloads of one event, in the order in which they came. */
  payloads<Payload>(name: string): Payload[] {
    return this.heard.flatMap((event) => (event.name === name ? [event.payload as Payload] : []));
  }

  /** `receive_message`, of one conversation or of all. */
  received(conversationId?: string): Message[] {
    return this.payloads<Message>('receive_message').filter(
      (message) => conversationId === undefined || message.conversationId === conversationId,
    );
  }

  /** `message_sent_confirm`. */
  confirmed(): Message[] {
    return this.payloads<Message>('message_sent_confirm');
  }

  errors(): ChatError[] {
    return this.payloads<ChatError>('chat_error');
  }

  /** Payloads of all events but the one that every connection gets of itself. */
  heardOfOthers(): unknown[] {
    return this.heard.flatMap(({ name, payload }) =>
      name === 'presence_snapshot' ? [] : [payload],
    );
  }

  /** Emits without a callback. */
  emit(event: string, ...args: unknown[]): void {
    this.socket.emit(event, ...args);
  }

  /** Emits with a callback. @throws Error when it is not called within 20 s */
  async ask(event: string, ...args: unknown[]): Promise<Answer> {
    return (await this.socket.timeout(DEADLINE).emitWithAck(event, ...args)) as Answer;
  }

  /** Sends a message and asserts that it was stored as it was sent. */
  async say(conversationId: string, content: string, clientMessageId?: string): Promise<Message> {
    const named = clientMessageId === undefined ? {} : { clientMessageId };
    const answer = await this.ask('send_message', { conversationId, content, ...named });
    expect(answer).toMatchObject({ success: true });
    return expectMessage(answer.message, { conversationId, content, ...named });
  }

  /** Waits until a message has come to this connection. */
  async hears(message: Message): Promise<void> {
    await waitFor(() => this.received().some(({ _id }) => _id === message._id), {
      timeout: DEADLINE,
      describe: `receive_message with seq ${message.seq}`,
    });
  }

  /** Waits for an event with these fields and gives it. */
  async hearsEvent(
    name: string,
    fields: Record<string, unknown>,
    timeout = DEADLINE,
  ): Promise<HeardEvent> {
    const matches = (event: HeardEvent) =>
      event.name === name &&
      Object.entries(fields).every(
        ([field, value]) => (event.payload as Record<string, unknown>)[field] === value,
      );
    const describe = `${name} ${JSON.stringify(fields)}`;
    const found = await waitFor(() => this.heard.find(matches), { timeout, describe });
    return found as HeardEvent;
  }

  /**
   * Resolves when the server has handled all that was emitted here before: a round trip on the same
   * connection that no rule of the chat can refuse differently.
   */
  async settles(): Promise<void> {
    const answer = await this.ask('refresh_token', { token: 'no token' });
    expect(answer).toMatchObject({ success: false, error: { code: 'AUTH_INVALID' } });
  }

  close(): void {
    this.socket.disconnect();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Resolves when connected. @throws Error naming the refusal */
export async function connect(options: ConnectOptions): Promise<ChatConnection> {
  const connection = new ChatConnection(options);
  const outcome = await attempt(connection);
  if (outcome !== 'connected') {
    connection.close();
    throw new Error(`The handshake was refused: ${outcome.message} ${String(outcome.code)}`);
  }
  return connection;
}

/** Connects for a handshake that must be refused, and tells how it was. */
export async function refusalOf(options: ConnectOptions): Promise<Refusal> {
  using connection = new ChatConnection(options);
  const outcome = await attempt(connection);
  if (outcome === 'connected') {
    throw new Error('The handshake was accepted');
  }
  return outcome;
}

function attempt({ socket }: ChatConnection): Promise<'connected' | Refusal> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve({ message: 'no answer', code: undefined }), DEADLINE);
    socket.once('connect', () => {
      clearTimeout(late);
      resolve('connected');
    });
    socket.once('connect_error', (error: Error & { data?: { code?: unknown } }) => {
      clearTimeout(late);
      resolve({ message: error.message, code: error.data?.code });
    });
    socket.connect();
  });
}
