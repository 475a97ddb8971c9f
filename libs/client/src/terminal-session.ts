import type { ChatClient } from './chat-client.ts';
import type { ChatConversation } from './chat-conversation.ts';
import { asChatError } from './chat-error.ts';
import type { Conversation, Message, ReactionType } from './shapes.ts';

export const commandHelp = `Commands:
  /list                    your conversations, latest first
  /open <number|user|id>   open one of them, or a direct conversation with a user
  /group <name> <user> …   a new group, and open it
  /older                   older messages
  /react <seq> <type>      like, love, haha, sad or angry; the same again takes it back
  /read                    everything in the open conversation is read
  /friends                 your friends, and who is online
  /befriend <user>         ask somebody to be your friend
  /accept <user>           accept a friend request
  /status                  the state of the connection
  /help                    this
  /quit
Anything else is said in the open conversation.
`;

const CONTROL = /\p{Cc}/gu;

/** Text of others must not move the cursor or change the terminal. */
function plain(text: string): string {
  return text.replaceAll(CONTROL, (control) => (control === '\n' ? ' ⏎ ' : '�'));
}

/** Turns lines into calls of the client, and what the client tells into lines. */
export class TerminalSession {
  readonly #client: ChatClient;
  readonly #print: (text: string) => void;
  #list: Conversation[] = [];
  #open: ChatConversation | null = null;
  /** The newest `seq` that was printed, so that nothing is shown twice. */
  #shown = 0;
  /** The server's word on the last `/read`. */
  #marking: Promise<void> = Promise.resolve();

  constructor(client: ChatClient, print: (text: string) => void) {
    this.#client = client;
    this.#print = print;
    client.on('state', (state) => {
      const error = 'error' in state && state.error !== null ? `: ${state.error.message}` : '';
      print(`-- ${state.name}${error}`);
    });
    client.on('message', (message) => this.#show(message));
    client.on('outbox', (entry) => {
      if (entry.state === 'refused') {
        print(`-- not sent (${entry.error?.code}: ${entry.error?.message}): ${entry.content}`);
      }
    });
    client.on('typing', ({ conversationId, userIds }) => {
      if (conversationId === this.#open?.id && userIds.length > 0) {
        print(`-- ${userIds.join(', ')} typing …`);
      }
    });
    client.on('presence', ({ userId, online }) => {
      print(`-- ${userId} is ${online ? 'online' : 'offline'}`);
    });
    client.on('reaction', ({ conversationId, messageId, reactions }) => {
      const message = this.#open?.id === conversationId ? this.#open.log.find(messageId) : null;
      if (message != null) {
        const all = reactions.map(({ userId, type }) => `${userId} ${type}`).join(', ');
        print(`-- reactions to ${message.seq}: ${all === '' ? 'none' : all}`);
      }
    });
    client.on('friendRequest', ({ requesterId }) => {
      print(`-- ${requesterId} wants to be your friend: /accept ${requesterId}`);
    });
    client.on('friendRequestUpdate', ({ addresseeId, status }) => {
      print(`-- ${addresseeId} has ${status} your friend request`);
    });
  }

  /** Carries out one line. False when it says goodbye. Never throws: what fails is printed. */
  async take(line: string): Promise<boolean> {
    const text = line.trim();
    const [command = '', ...words] = text.split(/\s+/);
    if (command === '/quit') {
      return false;
    }
    try {
      if (!text.startsWith('/')) {
        this.#say(line);
      } else {
        await this.#run(command, words);
      }
    } catch (error) {
      this.#complain(error);
    }
    return true;
  }

  /** Waits until nothing is pending, `deadline` ms at most. False when something is. */
  async allConfirmed(deadline: number): Promise<boolean> {
    const pending = this.#client.conversations.flatMap((conversation) => conversation.pending);
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), deadline);
    const settled = Promise.allSettled([
      ...pending.map(({ confirmed }) => confirmed),
      this.#marking,
    ]);
    const outcome = await Promise.race([settled, late.promise]);
    clearTimeout(timer);
    return outcome !== 'late' && outcome.every(({ status }) => status === 'fulfilled');
  }

  #say(text: string): void {
    if (text.trim() === '') {
      return;
    }
    if (this.#open === null) {
      this.#print('-- open a conversation first: /open <number|user|id>');
      return;
    }
    this.#open.send(text);
  }

  async #run(command: string, words: string[]): Promise<void> {
    const [first = '', second = ''] = words;
    switch (command) {
      case '/list':
        return this.#showList();
      case '/open':
        return this.#openOne(first);
      case '/group':
        return this.#openNew('group', words.slice(1), first);
      case '/older':
        return this.#showOlder();
      case '/react':
        return this.#react(Number(first), second as ReactionType);
      case '/read':
        return this.#markRead();
      case '/friends':
        return this.#showFriends();
      case '/befriend':
        await this.#client.rest.requestFriend(first);
        this.#print(`-- asked ${first}`);
        return;
      case '/accept':
        return this.#accept(first);
      case '/status':
        this.#print(`-- ${this.#client.state.name}`);
        return;
      default:
        this.#print(commandHelp);
    }
  }

  /** Without a connection it takes until there is one: the next line does not wait for it. */
  #markRead(): void {
    const open = this.#open;
    if (open === null) {
      this.#print('-- open a conversation first: /open <number|user|id>');
      return;
    }
    this.#marking = open.markRead().then(
      (unread) => this.#print(`-- ${unread} unread`),
      (error: unknown) => this.#complain(error),
    );
  }

  #complain(error: unknown): void {
    const { code, message } = asChatError(error);
    this.#print(`-- ${code}: ${message}`);
  }

  async #showList(): Promise<void> {
    this.#list = await this.#client.rest.conversations();
    for (const [index, { _id, unread }] of this.#list.entries()) {
      const heading = `${index + 1}. ${this.#nameOf(this.#list[index])}`;
      this.#print(`${heading}${unread > 0 ? ` (${unread} unread)` : ''}  ${_id}`);
    }
    if (this.#list.length === 0) {
      this.#print('-- no conversations yet');
    }
  }

  async #openOne(which: string): Promise<void> {
    const listed = this.#list[Number(which) - 1] ?? this.#list.find(({ _id }) => _id === which);
    if (listed !== undefined) {
      return this.#enter(listed);
    }
    if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(which)) {
      this.#list = await this.#client.rest.conversations();
      const found = this.#list.find(({ _id }) => _id === which);
      return found === undefined ? this.#print('-- not found') : this.#enter(found);
    }
    return this.#openNew('direct_message', [which]);
  }

  async #openNew(
    type: Conversation['type'],
    participantIds: string[],
    name?: string,
  ): Promise<void> {
    const { conversation } = await this.#client.rest.createConversation({
      type,
      participantIds,
      ...(name === undefined ? {} : { name }),
    });
    return this.#enter(conversation);
  }

  async #enter(listed: Conversation): Promise<void> {
    const conversation = this.#client.conversation(listed._id);
    this.#open = null;
    if (conversation.messages.length === 0) {
      await conversation.loadOlder();
    }
    this.#open = conversation;
    this.#shown = 0;
    this.#print(`== ${this.#nameOf(listed)}`);
    for (const message of conversation.messages) {
      this.#show(message);
    }
  }

  async #showOlder(): Promise<void> {
    const conversation = this.#open;
    const count = (await conversation?.loadOlder()) ?? 0;
    for (const message of conversation?.messages.slice(0, count) ?? []) {
      this.#print(textOf(message));
    }
    if (count === 0) {
      this.#print('-- nothing older');
    }
  }

  async #react(seq: number, type: ReactionType): Promise<void> {
    const message = this.#open?.messages.find((candidate) => candidate.seq === seq);
    if (message === undefined) {
      this.#print('-- no such message here');
    } else {
      await this.#open?.react(message._id, type);
    }
  }

  async #showFriends(): Promise<void> {
    const friends = await this.#client.rest.friends();
    for (const { _id, displayName } of friends) {
      const presence = this.#client.online.has(_id) ? 'online' : 'offline';
      this.#print(`${_id} (${plain(displayName)}) ${presence}`);
    }
    if (friends.length === 0) {
      this.#print('-- no friends yet');
    }
  }

  async #accept(userId: string): Promise<void> {
    const requests = await this.#client.rest.friendRequests('pending');
    const request = requests.find(({ requesterId }) => requesterId === userId);
    if (request === undefined) {
      this.#print(`-- ${userId} has not asked`);
    } else {
      await this.#client.rest.answerFriendRequest(request._id, 'accept');
      this.#print(`-- you and ${userId} are friends`);
    }
  }

  #show(message: Message): void {
    if (message.conversationId === this.#open?.id && message.seq > this.#shown) {
      this.#shown = message.seq;
      this.#print(textOf(message));
    }
  }

  #nameOf(conversation: Conversation | undefined): string {
    const others = (conversation?.participants ?? []).filter(
      ({ _id }) => _id !== this.#client.userId,
    );
    return plain(conversation?.name ?? others.map(({ _id }) => _id).join(', '));
  }
}

function textOf({ seq, createdAt, senderId, content }: Message): string {
  return `${seq} [${createdAt.slice(11, 19)}] ${senderId}: ${plain(content)}`;
}
