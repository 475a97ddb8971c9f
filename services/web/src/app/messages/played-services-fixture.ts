import {
  ChatError,
  type ChatErrorCode,
  type ConnectOptions,
  connectSocket,
  type Message,
} from '@bambochat/client';

type OpenWire = NonNullable<ConnectOptions['openWire']>;
export const C = 'c-1';

/** One conversation of ada and ben on services that do what a test says, without a network. */
export class PlayedServices {
  readonly messages: Message[] = [];
  isReachable = true;
  /** What becomes of the next messages that are sent. */
  refusal: ChatErrorCode | null = null;
  readSeq = 0;
  #listener: Parameters<OpenWire>[1] | null = null;

  /** Ada's client; caught up when this is there. */
  async connect() {
    const part = (value: object) => btoa(JSON.stringify(value));
    const now = Date.now() / 1000;
    const token = `${part({})}.${part({ sub: 'ada', iat: now, exp: now + 900 })}.x`;
    const client = connectSocket(token, {
      url: 'http://played.example',
      userId: 'ada',
      openWire: this.#openWire,
      fetch: async (address) => this.#respond(new URL(address)),
    });
    const wanted = this.isReachable ? 'live' : 'offline';
    await new Promise<void>((resolve) => {
      client.on('state', ({ name }) => {
        if (name === wanted) {
          resolve();
        }
      });
    });
    return client;
  }

  say(senderId: string, content: string, clientMessageId: string = crypto.randomUUID()): Message {
    const seq = this.messages.length + 1;
    const message: Message = {
      _id: `m-${seq}`,
      conversationId: C,
      seq,
      senderId,
      content,
      clientMessageId,
      reactions: [],
      createdAt: new Date().toISOString(),
    };
    this.messages.push(message);
    if (senderId !== 'ada') {
      this.#listener?.event('receive_message', message);
    }
    return message;
  }

  readonly #openWire: OpenWire = (_token, listener) => {
    queueMicrotask(() => {
      if (this.isReachable) {
        this.#listener = listener;
        listener.connected();
      } else {
        listener.refused(new ChatError('UNAVAILABLE', 'away', true));
      }
    });
    return {
      request: async (event, payload) => {
        const { content, clientMessageId } = payload as Record<string, string>;
        if (this.refusal !== null) {
          throw new ChatError(this.refusal, 'refused', false);
        }
        return event === 'send_message'
          ? { success: true, message: this.say('ada', content ?? '', clientMessageId) }
          : { success: true, unread: 0 };
      },
      emitVolatile: () => {},
      check: () => {},
      close: () => {},
    };
  };

  #respond(url: URL): Response {
    if (!this.isReachable) {
      throw new TypeError('away');
    }
    const lastSeq = this.messages.length;
    if (url.pathname === '/sync') {
      const news = {
        conversationId: C,
        messages: url.searchParams.has('since') ? [] : this.messages.slice(this.readSeq),
        reactions: [],
        readMarks: [],
        members: [],
        reset: false,
        lastSeq,
        unread: lastSeq - this.readSeq,
      };
      return Response.json({ conversations: [news], left: [], token: 't', hasMore: false });
    }
    const limit = Number(url.searchParams.get('limit'));
    const after = url.searchParams.get('after');
    const before = Number(url.searchParams.get('before') ?? lastSeq + 1);
    const messages =
      after === null
        ? this.messages.slice(0, before - 1).slice(-limit)
        : this.messages.slice(Number(after), Number(after) + limit);
    return Response.json({ messages, hasMore: false, lastSeq });
  }
}
