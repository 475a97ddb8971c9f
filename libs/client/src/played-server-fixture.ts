import { vi } from 'vitest';
import type { ChatClient } from './chat-client.ts';
import { ChatError, errorFromWire, unavailable } from './chat-error.ts';
import { type ConnectOptions, connectSocket } from './connect-socket.ts';
import type { Fetch } from './rest-client.ts';
import type { Message, MessagesPage, SyncAnswer } from './shapes.ts';
import type { TokenProvider } from './token-source.ts';
import type { OpenWire, WireListener } from './wire.ts';

/** What becomes of a request: answered, done without an answer, or not even done. */
export type Fate = 'answer' | 'lose-answer' | 'lose' | ChatError;

interface PlayedWire {
  token: string;
  userId: string;
  listener: WireListener;
  live: boolean;
}

/** An unsigned token; times in milliseconds. */
export function tokenFor(userId: string, life = 900_000): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Date.now() / 1000;
  const claims = { sub: userId, userId, iat: now, exp: now + life / 1000, jti: String(tokens) };
  tokens += 1;
  return `${part({ alg: 'none' })}.${part(claims)}.x`;
}
let tokens = 0;

/** A server for one test, in the same process and on the same clock, that does what it is told. */
export class PlayedServer {
  readonly conversations = new Map<string, Message[]>();
  readonly wires: PlayedWire[] = [];
  /** What clients have asked for over REST: `GET /messages?…`. */
  readonly asked: string[] = [];
  /** Requests over sockets, with their payloads. */
  readonly requests: { event: string; payload: Record<string, unknown> }[] = [];
  /** Refusals of the next handshakes; `null` lets one pass. */
  readonly refusals: (ChatError | null)[] = [];
  /** Decides about each request. */
  fate: (event: string, payload: Record<string, unknown>) => Fate = () => 'answer';
  /** Whether a live event reaches a user. */
  delivers: (userId: string, event: string) => boolean = () => true;
  /** Whether connections are found alive. */
  answersChecks = true;
  /** Milliseconds that REST answers take. */
  restDelay = 0;
  /** What REST answers in place of anything else. */
  restFailure: { status: number; code: string } | null = null;
  /** Of messages; merged into what `/sync` answers next. */
  news: Partial<SyncAnswer['conversations'][number]> | null = null;
  left: string[] = [];
  syncLimit = 1000;
  readonly readSeq = new Map<string, number>();

  connect(token: TokenProvider, options: ConnectOptions = {}): ChatClient {
    return connectSocket(token, {
      url: 'http://played.example',
      openWire: this.openWire,
      fetch: this.fetch,
      ...options,
    });
  }

  /** A message of somebody, stored and told to everyone who is connected. */
  say(
    conversationId: string,
    senderId: string,
    content: string,
    clientMessageId?: string,
  ): Message {
    const id = clientMessageId ?? `${senderId}-${crypto.randomUUID()}`;
    const messages = this.#messagesOf(conversationId);
    const stored = messages.find(
      (message) => message.clientMessageId === id && message.senderId === senderId,
    );
    if (stored !== undefined) {
      return stored;
    }
    const message: Message = {
      _id: `${conversationId}-${messages.length + 1}`,
      conversationId,
      seq: messages.length + 1,
      senderId,
      content,
      clientMessageId: id,
      reactions: [],
      createdAt: new Date().toISOString(),
    };
    messages.push(message);
    for (const wire of this.wires) {
      if (wire.userId !== senderId) {
        this.tell(wire.userId, 'receive_message', message);
      }
    }
    return message;
  }

  /** An event for all connections of a user. */
  tell(userId: string, event: string, payload: object): void {
    for (const wire of this.wires.filter((wire) => wire.live && wire.userId === userId)) {
      if (this.delivers(userId, event)) {
        wire.listener.event(event, payload);
      }
    }
  }

  /** Every connection breaks. */
  cut(): void {
    for (const wire of this.wires.splice(0)) {
      if (wire.live) {
        wire.live = false;
        wire.listener.disconnected();
      }
    }
  }

  readonly openWire: OpenWire = (token, listener) => {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const wire: PlayedWire = { token, userId: claims.sub, listener, live: false };
    let closed = false;
    const refusal = this.refusals.shift();
    queueMicrotask(() => {
      if (closed) {
        return;
      }
      if (refusal != null) {
        listener.refused(refusal);
      } else {
        wire.live = true;
        this.wires.push(wire);
        listener.connected();
      }
    });
    return {
      request: (event, payload, timeout) =>
        this.#answer(wire, event, payload as Record<string, unknown>, timeout),
      emitVolatile: (event, payload) => {
        this.requests.push({ event, payload: payload as Record<string, unknown> });
      },
      check: () => {
        if (wire.live && !this.answersChecks) {
          wire.live = false;
          listener.disconnected();
        }
      },
      close: () => {
        closed = true;
        wire.live = false;
      },
    };
  };

  async #answer(
    wire: PlayedWire,
    event: string,
    payload: Record<string, unknown>,
    timeout: number,
  ): Promise<Record<string, unknown>> {
    this.requests.push({ event, payload });
    const fate = this.fate(event, payload);
    await Promise.resolve();
    if (fate instanceof ChatError) {
      throw fate;
    }
    const answer = fate === 'lose' ? {} : this.#carryOut(wire, event, payload);
    if (fate !== 'answer') {
      const deadline = Date.now() + timeout;
      while (wire.live && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      throw unavailable('no answer');
    }
    return { success: true, ...answer };
  }

  #carryOut(wire: PlayedWire, event: string, payload: Record<string, unknown>): object {
    const { conversationId, content, clientMessageId, token } = payload as Record<string, string>;
    if (event === 'send_message') {
      return {
        message: this.say(conversationId ?? '', wire.userId, content ?? '', clientMessageId),
      };
    }
    if (event === 'refresh_token') {
      wire.token = token ?? '';
      return { expiresAt: new Date().toISOString() };
    }
    if (event === 'mark_read') {
      return { unread: 0 };
    }
    return { reactions: [{ userId: wire.userId, type: payload.reactionType }] };
  }

  readonly fetch: Fetch = async (address, init) => {
    const url = new URL(address);
    this.asked.push(`${init.method} ${url.pathname}${url.search}`);
    // Read first: what changes on the way back is not in it.
    const response = this.#respond(url);
    if (this.restDelay > 0) {
      await new Promise((resolve) => setTimeout(resolve, this.restDelay));
    }
    return response;
  };

  #respond(url: URL): Response {
    if (this.restFailure !== null) {
      const { status, code } = this.restFailure;
      return Response.json({ status, code, message: errorFromWire({ code }).message }, { status });
    }
    return url.pathname === '/sync' ? this.#sync(url) : this.#page(url);
  }

  #sync(url: URL): Response {
    const since = url.searchParams.get('since');
    const cursors: Record<string, number> = since === null ? {} : JSON.parse(atob(since));
    const answer: SyncAnswer = { conversations: [], left: this.left, token: '', hasMore: false };
    let room = this.syncLimit;
    for (const [conversationId, messages] of this.conversations) {
      const known = cursors[conversationId];
      const from = known ?? this.readSeq.get(conversationId) ?? messages.length;
      const news = messages.slice(from, from + room);
      room -= news.length;
      cursors[conversationId] = from + news.length;
      answer.hasMore ||= from + news.length < messages.length;
      if (known === undefined || news.length > 0 || this.news !== null) {
        answer.conversations.push({
          conversationId,
          messages: news,
          reactions: [],
          readMarks: [],
          members: [],
          reset: false,
          lastSeq: messages.length,
          unread: messages.length - (this.readSeq.get(conversationId) ?? messages.length),
          ...this.news,
        });
      }
    }
    this.news = null;
    this.left = [];
    answer.token = btoa(JSON.stringify(cursors));
    return Response.json(answer);
  }

  #page(url: URL): Response {
    const query = url.searchParams;
    const messages = this.#messagesOf(query.get('conversationId') ?? '');
    const limit = Number(query.get('limit'));
    const after = query.get('after');
    const before = Number(query.get('before') ?? messages.length + 1);
    const found =
      after === null
        ? messages.slice(0, before - 1).slice(-limit)
        : messages.slice(Number(after), Number(after) + limit);
    const page: MessagesPage = { messages: found, hasMore: false, lastSeq: messages.length };
    return Response.json(page);
  }

  #messagesOf(conversationId: string): Message[] {
    const messages = this.conversations.get(conversationId) ?? [];
    this.conversations.set(conversationId, messages);
    return messages;
  }
}

/** Lets everything happen that is due within this many milliseconds of the controlled clock. */
export async function pass(time: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(time);
}
