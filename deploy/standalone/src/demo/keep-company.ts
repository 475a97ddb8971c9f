import { setTimeout as delay } from 'node:timers/promises';
import { type ChatClient, connectSocket, type Message, Session } from '@bambochat/client';
import type { Logger, Service } from '@bambochat/runtime';
import { companion, demoPassword } from './people.ts';

/** Milliseconds. */
const READING = 700;
const TYPING = 2200;
const AWAY = 15_000;

const greeting =
  'You are here! I am the script of this demo. Say something, and I answer with whatever comes next in my list.';
const farewell = 'See you in a moment: I go offline now and come back by myself.';
const answers = [
  'I am a script, so I nod: 🐼',
  'Open this address in a second window and log in as somebody else: what you write here appears there.',
  'Pull the plug: in the developer tools of your browser go offline, write, reload, and go online again. Nothing is lost and nothing comes twice.',
  'قرأتُ رسالتك. 我读了。読みました。I cannot read at all, but I can show every script.',
  'The group has a question for you. Messages that mention you show in the list.',
  'That was all I know. From here on I repeat myself.',
];

/**
 * A friend who is there, types and answers, so that somebody who has just logged in sees a chat that
 * lives. It says that it is a program, and does all it does through the SDK, as anybody could.
 */
export function createCompanion(options: { url(): string; logger: Logger }): Service {
  const { logger } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const greeted = new Set<string>();
  /** Conversations that it is writing in: one answer at a time. */
  const busy = new Set<string>();
  let session: Session;
  let client: ChatClient | null = null;
  let said = 0;

  function connect(): void {
    const began = Date.now();
    const here = connectSocket(session.token, { url: options.url() });
    client = here;
    here.on('presence', ({ userId, online }) => {
      if (online && !greeted.has(userId)) {
        greeted.add(userId);
        inBackground(greet(here, userId));
      }
    });
    here.on('message', (message) => {
      if (message.senderId !== companion.id && Date.parse(message.createdAt) >= began) {
        inBackground(answer(here, message));
      }
    });
    here.on('friendRequest', ({ _id }) =>
      inBackground(here.rest.answerFriendRequest(_id, 'accept')),
    );
  }

  async function greet(here: ChatClient, userId: string): Promise<void> {
    const { conversation } = await here.rest.createConversation({
      type: 'direct_message',
      participantIds: [userId],
    });
    await delay(READING, undefined, { signal });
    await write(here, conversation._id, greeting);
  }

  async function answer(here: ChatClient, message: Message): Promise<void> {
    const { conversationId, _id, content } = message;
    const known = await here.rest.conversations();
    const direct = known.find((one) => one._id === conversationId)?.type === 'direct_message';
    if (busy.has(conversationId) || !(direct || content.includes(`@${companion.id}`))) {
      return;
    }
    busy.add(conversationId);
    try {
      await delay(READING, undefined, { signal });
      inBackground(here.conversation(conversationId).markRead());
      if (/^\s*bye\b/i.test(content)) {
        await write(here, conversationId, farewell);
        await goAway(here);
        return;
      }
      if (/[♥❤💚🐼🎋]/u.test(content)) {
        await here.conversation(conversationId).react(_id, 'love');
      }
      await write(here, conversationId, answers[said % answers.length] ?? '');
      said += 1;
    } finally {
      busy.delete(conversationId);
    }
  }

  async function write(here: ChatClient, conversationId: string, text: string): Promise<void> {
    const conversation = here.conversation(conversationId);
    conversation.keyPressed();
    await delay(TYPING, undefined, { signal });
    await conversation.send(text).confirmed;
  }

  async function goAway(here: ChatClient): Promise<void> {
    here.close();
    await delay(AWAY, undefined, { signal });
    connect();
  }

  function inBackground(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!signal.aborted) {
        logger.warn({ err: error }, 'the companion could not answer');
      }
    });
  }

  return {
    async start() {
      session = new Session({ url: options.url() });
      await session.login(companion.id, demoPassword);
      connect();
    },
    async drain() {
      ending.abort();
      client?.close();
    },
    async stop() {},
  };
}
