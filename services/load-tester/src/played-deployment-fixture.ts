import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

/** What becomes of the deliveries of a message. */
export type Mischief = 'none' | 'lose' | 'double' | 'swap' | 'forget' | 'store twice' | 'refuse';

/**
 * As much of a deployment as a load needs, in this process, which breaks one promise of the contract
 * with its tenth message: it loses a delivery, makes two of it, or swaps it with the next; `forget`
 * confirms it and does not store it, `store twice` stores it again. `refuse` breaks none: it says
 * `UNAVAILABLE` of a message that it has stored and delivered.
 */
export async function playDeployment(mischief: Mischief) {
  const members = new Map<string, string[]>();
  const histories = new Map<string, { seq: number; content: string }[]>();
  const sockets = new Map<string, Socket>();
  let conversations = 0;
  let messages = 0;
  let late: { readonly receiver: string | undefined; deliver(): void } | null = null;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
    const url = new URL(request.url ?? '', 'http://played');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(respond(url, body, request.headers.authorization ?? '')));
  }

  function respond(url: URL, body: { id?: string; participantIds?: string[] }, token: string) {
    switch (url.pathname) {
      case '/api/auth/login':
        return { accessToken: body.id };
      case '/api/conversations': {
        conversations += 1;
        const _id = `conversation-${conversations}`;
        members.set(_id, [token.replace('Bearer ', ''), ...(body.participantIds ?? [])]);
        return { conversation: { _id } };
      }
      case '/messages':
        return page(url.searchParams);
      default:
        return {};
    }
  }

  function page(query: URLSearchParams) {
    const history = histories.get(query.get('conversationId') ?? '') ?? [];
    const after = Number(query.get('after') ?? 0);
    const messages = history.slice(after, after + Number(query.get('limit')));
    return {
      messages,
      hasMore: after + messages.length < history.length,
      lastSeq: history.length,
    };
  }

  function store(conversationId: string, content: string): number {
    const history = histories.get(conversationId) ?? [];
    histories.set(conversationId, history);
    return history.push({ seq: history.length + 1, content });
  }

  function send(socket: Socket, conversationId: string, content: string) {
    messages += 1;
    const isChosen = messages === 10;
    const seq =
      isChosen && mischief === 'forget'
        ? (histories.get(conversationId)?.length ?? 0) + 1
        : store(conversationId, content);
    const message = { _id: `m-${messages}`, conversationId, seq, content };
    const copies = [message];
    if (isChosen && mischief === 'store twice') {
      copies.push({ ...message, seq: store(conversationId, content) });
    }
    const [first, ...others] = (members.get(conversationId) ?? []).filter(
      (userId) => userId !== socket.data.userId,
    );
    const deliver = (userId = '') => {
      for (const copy of copies) {
        sockets.get(userId)?.emit('receive_message', copy);
      }
    };
    for (const userId of others) {
      deliver(userId);
    }
    if (isChosen && mischief === 'swap') {
      late = { receiver: first, deliver: () => deliver(first) };
    } else if (!(isChosen && (mischief === 'lose' || mischief === 'forget'))) {
      deliver(first);
      // Behind a later one that the same receiver has heard.
      if (late?.receiver === first) {
        late?.deliver();
        late = null;
      }
    }
    if (isChosen && mischief === 'double') {
      deliver(first);
    }
    return isChosen && mischief === 'refuse'
      ? { success: false, error: { code: 'UNAVAILABLE' } }
      : { success: true, message };
  }

  const httpServer = createServer((request, response) => void answer(request, response));
  const io = new Server(httpServer);
  io.on('connection', (socket) => {
    const userId = String(socket.handshake.auth.token);
    socket.data.userId = userId;
    sockets.set(userId, socket);
    socket.on('send_message', ({ conversationId, content }, acknowledge) =>
      acknowledge(send(socket, conversationId, content)),
    );
  });
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => io.close(),
  };
}
