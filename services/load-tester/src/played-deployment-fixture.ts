import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, type Socket } from 'socket.io';

/** What becomes of the deliveries of a message. */
export type Mischief =
  | 'none'
  | 'lose'
  | 'double'
  | 'swap'
  | 'forget'
  | 'store twice'
  | 'refuse'
  | 'stray'
  | 'forget reactions'
  | 'answer wrongly';

interface Kept {
  readonly _id: string;
  readonly seq: number;
  readonly content: string;
  readonly reactions: { readonly userId: string; readonly type: string }[];
}

/**
 * As much of a deployment as a load needs, in this process, which breaks one promise of the contract
 * with its tenth message: it loses a delivery, makes two of it, or swaps it with the next; `forget`
 * confirms it and does not store it, `store twice` stores it again. `refuse` breaks none: it says
 * `UNAVAILABLE` of a message that it has stored and delivered. A `stray` goes to who is no member;
 * reactions may be confirmed and forgotten, marks be answered with nothing that the contract knows.
 */
export async function playDeployment(mischief: Mischief) {
  const members = new Map<string, string[]>();
  const histories = new Map<string, Kept[]>();
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
    const seq = history.length + 1;
    return history.push({ _id: `m-${conversationId}-${seq}`, seq, content, reactions: [] });
  }

  function send(socket: Socket, conversationId: string, content: string) {
    messages += 1;
    const isChosen = messages === 10;
    const seq =
      isChosen && mischief === 'forget'
        ? (histories.get(conversationId)?.length ?? 0) + 1
        : store(conversationId, content);
    const message = { _id: `m-${conversationId}-${seq}`, conversationId, seq, content };
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
    if (isChosen && mischief === 'stray') {
      sockets
        .get(first ?? '')
        ?.emit('receive_message', { ...message, conversationId: 'not-theirs' });
    }
    return isChosen && mischief === 'refuse'
      ? { success: false, error: { code: 'UNAVAILABLE' } }
      : { success: true, message };
  }

  function react(userId: string, messageId: string) {
    const reaction = { userId, type: 'like' };
    const message = [...histories.values()].flat().find(({ _id }) => _id === messageId);
    if (mischief !== 'forget reactions') {
      message?.reactions.push(reaction);
    }
    return { success: true, reactions: [...(message?.reactions ?? []), reaction] };
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
    socket.on('mark_read', (_mark, acknowledge) =>
      acknowledge({ success: true, ...(mischief === 'answer wrongly' ? {} : { unread: 0 }) }),
    );
    socket.on('send_reaction', ({ messageId }, acknowledge) =>
      acknowledge(react(userId, messageId)),
    );
  });
  await new Promise<void>((resolve) => httpServer.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => io.close(),
  };
}
