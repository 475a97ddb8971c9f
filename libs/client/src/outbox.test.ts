import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChatClient } from './chat-client.ts';
import { ChatError } from './chat-error.ts';
import { follow } from './client-story-fixture.ts';
import type { ConnectOptions } from './connect-socket.ts';
import { OUTBOX_MAX } from './outbox.ts';
import { memoryOutbox, storageError } from './outbox-storage.ts';
import { PlayedServer, pass, tokenFor } from './played-server-fixture.ts';

const C = 'conversation';
const D = 'other';

describe('the outbox', () => {
  let server: PlayedServer;
  const clients: ChatClient[] = [];
  function connect(userId: string, options: ConnectOptions = {}) {
    const client = server.connect(tokenFor(userId), options);
    clients.push(client);
    return client;
  }
  const stored = (conversationId = C) =>
    (server.conversations.get(conversationId) ?? []).map(({ content }) => content);
  const sends = () => server.requests.filter(({ event }) => event === 'send_message');

  beforeEach(() => {
    vi.useFakeTimers();
    server = new PlayedServer();
    server.conversations.set(C, []);
    server.conversations.set(D, []);
  });
  afterEach(() => {
    for (const client of clients.splice(0)) {
      client.close();
    }
    vi.useRealTimers();
  });

  test('shows a message as pending until it is confirmed, and then once in the list', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    const states: string[] = [];
    ada.on('outbox', ({ state }) => states.push(state));
    const conversation = ada.conversation(C);
    const entry = conversation.send('hello');
    expect(entry.state).toBe('storing');
    expect(conversation.pending).toEqual([entry]);
    await pass(10);
    expect(entry.state).toBe('confirmed');
    expect(await entry.confirmed).toEqual(conversation.messages[0]);
    expect(conversation.pending).toEqual([]);
    expect(states).toEqual(['storing', 'pending', 'sending', 'confirmed']);
    expect(story.texts()).toEqual(['hello']);
    expect(conversation.messages[0]?.clientMessageId).toBe(entry.clientMessageId);
  });

  test('keeps what is written offline, in order, and sends it when there is a connection', async () => {
    const ada = connect('ada');
    await pass(100);
    server.refusals.push(new ChatError('UNAVAILABLE', 'down', true));
    server.cut();
    const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`);
    const entries = texts.map((text) => ada.conversation(C).send(text));
    await pass(10);
    expect(entries.every(({ state }) => state === 'pending')).toBe(true);
    expect(stored()).toEqual([]);
    await pass(5000);
    expect(stored()).toEqual(texts);
    expect(ada.conversation(C).pending).toEqual([]);
  });

  test('sends again what got no confirmation, over reconnects, and it is stored once', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    let losses = 3;
    server.fate = (event) => {
      losses -= 1;
      return event === 'send_message' && losses >= 0 ? 'lose-answer' : 'answer';
    };
    const entry = ada.conversation(C).send('once');
    ada.conversation(C).send('after it');
    for (let count = 0; count < 3; count += 1) {
      await pass(1000);
      server.cut();
      await pass(8000);
    }
    await pass(60_000);
    expect(entry.state).toBe('confirmed');
    expect(stored()).toEqual(['once', 'after it']);
    expect(story.texts()).toEqual(['once', 'after it']);
    expect(sends().length).toBeGreaterThan(2);
  });

  test('sends again on a connection that lives, when no answer comes', async () => {
    const ada = connect('ada');
    await pass(100);
    let first = true;
    server.fate = () => {
      const fate = first ? 'lose' : 'answer';
      first = false;
      return fate;
    };
    const entry = ada.conversation(C).send('patience');
    await pass(15_000);
    expect(entry.state).toBe('sending');
    await pass(10_000);
    expect(entry.state).toBe('confirmed');
    expect(sends().map(({ payload }) => payload.clientMessageId)).toEqual([
      entry.clientMessageId,
      entry.clientMessageId,
    ]);
  });

  test('later messages do not overtake one that has to be tried again', async () => {
    const ada = connect('ada');
    await pass(100);
    let refusals = 3;
    server.fate = (_, payload) => {
      if (payload.content === 'first' && refusals > 0) {
        refusals -= 1;
        return new ChatError('RATE_LIMITED', 'slow down', true);
      }
      return 'answer';
    };
    ada.conversation(C).send('first');
    ada.conversation(C).send('second');
    ada.conversation(D).send('elsewhere');
    await pass(0);
    expect(stored()).toEqual([]);
    expect(stored(D)).toEqual(['elsewhere']);
    await pass(20_000);
    expect(stored()).toEqual(['first', 'second']);
  });

  test('tells what is finally refused, and goes on with the next', async () => {
    const ada = connect('ada');
    await pass(100);
    server.fate = (_, { content }) =>
      content === '' ? new ChatError('VALIDATION', 'content: must not be empty', false) : 'answer';
    const refused = ada.conversation(C).send('');
    const next = ada.conversation(C).send('good');
    await pass(100);
    expect(refused).toMatchObject({ state: 'refused', error: { code: 'VALIDATION' } });
    await expect(refused.confirmed).rejects.toMatchObject({ code: 'VALIDATION' });
    expect(next.state).toBe('confirmed');
    expect(ada.conversation(C).pending).toEqual([]);
    expect(sends()).toHaveLength(2);
  });

  test('outlives its client: the next one shows what is pending and sends it', async () => {
    const storage = memoryOutbox();
    server.fate = () => 'lose-answer';
    const before = connect('ada', { storage });
    await pass(100);
    before.conversation(C).send('sent and not confirmed');
    const second = before.conversation(C).send('not sent');
    await pass(100);
    before.close();
    await expect(second.confirmed).rejects.toMatchObject({ code: 'CLOSED' });
    await pass(30_000);

    server.fate = () => 'answer';
    server.refusals.push(new ChatError('UNAVAILABLE', 'down', true));
    const after = connect('ada', { storage });
    const story = follow(after);
    await pass(0);
    expect(after.state.name).toBe('offline');
    expect(after.conversation(C).pending.map(({ content }) => content)).toEqual([
      'sent and not confirmed',
      'not sent',
    ]);
    await pass(5000);
    expect(stored()).toEqual(['sent and not confirmed', 'not sent']);
    expect(story.texts()).toEqual(['not sent']);
    expect(after.conversation(C).pending).toEqual([]);
  });

  test('somebody else on the same storage does not send it', async () => {
    const storage = memoryOutbox();
    server.fate = () => 'lose';
    const ada = connect('ada', { storage });
    await pass(100);
    ada.conversation(C).send('of ada');
    await pass(100);
    ada.close();
    server.fate = () => 'answer';
    const ben = connect('ben', { storage });
    await pass(100);
    expect(ben.conversation(C).pending).toEqual([]);
    expect(stored()).toEqual([]);
  });

  test('a message that cannot be stored is refused aloud and not sent', async () => {
    let full = true;
    const open = memoryOutbox();
    const ada = connect('ada', {
      storage: (userId) => {
        const storage = open(userId);
        return {
          ...storage,
          add: (row) => (full ? Promise.reject(storageError(new Error('full'))) : storage.add(row)),
        };
      },
    });
    const story = follow(ada);
    await pass(100);
    const entry = ada.conversation(C).send('too much');
    await pass(100);
    expect(entry).toMatchObject({ state: 'refused', error: { code: 'STORAGE' } });
    expect(story.errors).toEqual(['STORAGE']);
    expect(sends()).toEqual([]);
    full = false;
    ada.conversation(C).send('now there is room');
    await pass(100);
    expect(stored()).toEqual(['now there is room']);
  });

  test('a storage that cannot be read is told', async () => {
    const ada = connect('ada', {
      storage: (userId) => ({
        ...memoryOutbox()(userId),
        load: () => Promise.reject(storageError(new Error('blocked'))),
      }),
    });
    const story = follow(ada);
    await pass(0);
    expect(story.errors).toContain('STORAGE');
  });

  test('is bounded', async () => {
    const ada = connect('ada');
    server.fate = () => 'lose';
    await pass(100);
    const entries = Array.from({ length: OUTBOX_MAX + 1 }, () => ada.conversation(C).send('x'));
    expect(entries.at(-1)).toMatchObject({ state: 'refused', error: { code: 'OVERLOADED' } });
    expect(entries.at(-2)?.state).toBe('storing');
  });

  test('what is written before the user is known is sent, too', async () => {
    const token = Promise.withResolvers<string>();
    const ada = server.connect(() => token.promise);
    clients.push(ada);
    const entry = ada.conversation(C).send('early');
    await pass(1000);
    expect(entry.state).toBe('storing');
    token.resolve(tokenFor('ada'));
    await pass(100);
    expect(entry.state).toBe('confirmed');
  });

  test('a copy of its own message from another device settles it', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.fate = () => 'lose';
    const entry = ada.conversation(C).send('by another way');
    await pass(10);
    const message = server.say(C, 'ada', 'by another way', entry.clientMessageId);
    server.tell('ada', 'receive_message', message);
    expect(entry.state).toBe('confirmed');
    expect(story.texts()).toEqual(['by another way']);
    server.fate = () => 'answer';
    const next = ada.conversation(C).send('does not wait for an answer that nobody needs');
    await pass(10);
    expect(next.state).toBe('confirmed');
    await pass(60_000);
    expect(sends()).toHaveLength(2);
  });
});
