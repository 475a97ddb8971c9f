import { waitFor } from '@bambochat/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ChatClient } from './chat-client.ts';
import { follow } from './client-story-fixture.ts';
import { type ConnectOptions, connectSocket } from './connect-socket.ts';
import type { Message } from './shapes.ts';
import {
  createGroup,
  historyOf,
  live,
  Person,
  type Standalone,
  startStandalone,
} from './standalone-fixture.ts';
import { startProxy } from './tcp-proxy-fixture.ts';
import { socketIoWires } from './wire.ts';

const texts = (messages: readonly Message[]) => messages.map(({ content }) => content);

describe('against a real server', () => {
  let server: Standalone;
  const clients: ChatClient[] = [];

  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  afterEach(() => {
    for (const client of clients.splice(0)) {
      client.close();
    }
  });

  const person = (name: string) => Person.create(server.url, name);
  async function online(who: Person, options?: ConnectOptions): Promise<ChatClient> {
    const client = await who.online(options);
    clients.push(client);
    return client;
  }

  /** Every client's list is what the server has. */
  async function converged(id: string, count: number, ...all: ChatClient[]) {
    for (const client of all) {
      await waitFor(() => client.conversation(id).lastSeq >= count, {
        timeout: 60_000,
        describe: `all ${count} messages`,
      });
      await waitFor(() => client.conversation(id).messages.at(-1)?.seq === count, {
        timeout: 60_000,
      });
    }
    const [first] = all as [ChatClient];
    const history = await historyOf(first, id);
    expect(history.map(({ seq }) => seq)).toEqual(history.map((_, index) => index + 1));
    for (const client of all) {
      expect(client.conversation(id).messages).toEqual(history);
    }
    return history;
  }

  test('two clients that talk at the same time have the same list', async () => {
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const [atAda, atBen] = await Promise.all([online(ada), online(ben)]);
    const id = await createGroup(atAda, [ben]);
    await waitFor(() => atBen.conversations.some((conversation) => conversation.id === id));
    const stories = [follow(atAda), follow(atBen)];
    for (let count = 0; count < 30; count += 1) {
      atAda.conversation(id).send(`ada ${count}`);
      atBen.conversation(id).send(`ben ${count}`);
    }
    const history = await converged(id, 60, atAda, atBen);
    for (const story of stories) {
      expect(story.messages).toEqual(history);
      expect(story.errors).toEqual([]);
    }
    for (const name of ['ada', 'ben']) {
      const own = texts(history).filter((text) => text.startsWith(name));
      expect(own).toEqual(Array.from({ length: 30 }, (_, index) => `${name} ${index}`));
    }
  });

  test('what a proxy swallows is fetched, and the last one at the next connection', async () => {
    using proxy = await startProxy(server.url);
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const atAda = await online(ada);
    const id = await createGroup(atAda, [ben]);
    const atBen = await online(ben, { url: proxy.url });
    const story = follow(atBen);
    let seen = 0;
    let swallowed = 0;
    proxy.swallows = (frame) => {
      const isMessage = frame.startsWith('42["receive_message"');
      seen += isMessage ? 1 : 0;
      const swallow = isMessage && (seen % 3 === 0 || frame.includes('the last'));
      swallowed += swallow ? 1 : 0;
      return swallow;
    };
    for (let count = 0; count < 20; count += 1) {
      await atAda.conversation(id).send(`message ${count}`).confirmed;
    }
    await atAda.conversation(id).send('the last').confirmed;
    await converged(id, 20 + 1, atAda);
    await waitFor(() => atBen.conversation(id).messages.length >= 20);
    expect(swallowed).toBeGreaterThan(5);
    proxy.cut();
    const history = await converged(id, 21, atAda, atBen);
    expect(story.messages).toEqual(history);
  });

  test('nothing is lost or doubled while connections break all the time', async () => {
    using proxy = await startProxy(server.url);
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const [atAda, atBen] = await Promise.all([
      online(ada, { url: proxy.url }),
      online(ben, { url: proxy.url }),
    ]);
    const id = await createGroup(atAda, [ben]);
    const stories = [follow(atAda), follow(atBen)];
    for (const client of [atAda, atBen]) {
      // Waiting times double while no connection lasts.
      client.on(
        'state',
        ({ name }) => name === 'offline' && queueMicrotask(() => client.reconnect()),
      );
    }
    const entries = [];
    for (let round = 0; round < 6; round += 1) {
      for (let count = 0; count < 5; count += 1) {
        entries.push(atAda.conversation(id).send(`ada ${round}-${count}`));
        entries.push(atBen.conversation(id).send(`ben ${round}-${count}`));
      }
      await entries[round * 10]?.confirmed;
      proxy.cut();
    }
    await Promise.all(entries.map(({ confirmed }) => confirmed));
    const history = await converged(id, 60, atAda, atBen);
    expect(new Set(texts(history)).size).toBe(60);
    for (const name of ['ada', 'ben']) {
      const written = entries.map(({ content }) => content).filter((t) => t.startsWith(name));
      expect(texts(history).filter((text) => text.startsWith(name))).toEqual(written);
    }
    for (const story of stories) {
      expect(story.messages).toEqual(history);
      expect(story.states).toContain('offline');
    }
  });

  test('a kill -9 of the server in the middle of sending', { timeout: 120_000 }, async () => {
    await using own = await startStandalone();
    const [ada, ben] = await Promise.all([
      Person.create(own.url, 'ada'),
      Person.create(own.url, 'ben'),
    ]);
    const [atAda, atBen] = await Promise.all([online(ada), online(ben)]);
    const id = await createGroup(atAda, [ben]);
    const story = follow(atBen);
    const entries = Array.from({ length: 40 }, (_, index) =>
      atAda.conversation(id).send(`message ${index}`),
    );
    await entries[10]?.confirmed;
    await own.kill();
    await waitFor(() => atAda.state.name === 'offline');
    entries.push(atAda.conversation(id).send('while it was down'));
    const confirmed = entries.filter(({ state }) => state === 'confirmed').length;
    expect(confirmed).toBeGreaterThan(10);
    await own.start();
    await Promise.all(entries.map((entry) => entry.confirmed));
    await Promise.all([live(atAda), live(atBen)]);
    const history = await converged(id, 41, atAda, atBen);
    expect(texts(history)).toEqual(entries.map(({ content }) => content));
    expect(story.messages).toEqual(history);
  });

  test('unread at the start, older pages on demand', async () => {
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const atAda = await online(ada);
    const id = await createGroup(atAda, [ben]);
    for (let count = 1; count <= 30; count += 1) {
      atAda.conversation(id).send(`message ${count}`);
    }
    await waitFor(() => atAda.conversation(id).messages.length === 30);
    {
      using first = await ben.online();
      expect(first.conversation(id).unread).toBe(30);
      expect(texts(first.conversation(id).messages)).toHaveLength(30);
      const read = first.conversation(id).messages.find(({ seq }) => seq === 20);
      expect(await first.conversation(id).markRead(read?._id)).toBe(10);
      expect(first.conversation(id).unread).toBe(10);
    }
    const atBen = await online(ben);
    const conversation = atBen.conversation(id);
    expect(conversation.unread).toBe(10);
    expect(conversation.messages.map(({ seq }) => seq)[0]).toBe(21);
    expect(await conversation.loadOlder(15)).toBe(15);
    expect(await conversation.loadOlder(15)).toBe(5);
    expect(await conversation.loadOlder(15)).toBe(0);
    expect(conversation.messages).toEqual(await historyOf(atBen, id));
    expect(await conversation.markRead()).toBe(0);
    await waitFor(() => atAda.conversation(id).readMarks.get(ben.userId)?.seq === 30);
  });

  test('reactions, read marks and members, live and after having been away', async () => {
    using proxy = await startProxy(server.url);
    const [ada, ben, cleo] = await Promise.all([person('ada'), person('ben'), person('cleo')]);
    const atAda = await online(ada);
    const id = await createGroup(atAda, [ben]);
    const atBen = await online(ben, { url: proxy.url });
    const said = await atAda.conversation(id).send('hello').confirmed;
    const shown = () => atBen.conversation(id).messages[0]?.reactions;
    await waitFor(() => shown() !== undefined);
    const like = [{ userId: ada.userId, type: 'like' }];
    expect(await atAda.conversation(id).react(said._id, 'like')).toEqual(like);
    expect(atAda.conversation(id).messages[0]?.reactions).toEqual(like);
    await waitFor(() => shown()?.length === 1);
    expect(shown()).toEqual(like);

    proxy.open = false;
    proxy.cut();
    await waitFor(() => atBen.state.name === 'offline');
    await atAda.conversation(id).react(said._id, 'love');
    await atAda.conversation(id).markRead();
    await atAda.rest.addParticipants(id, [cleo.userId]);
    const members: string[] = [];
    atBen.on('member', ({ userId, member }) => members.push(`${userId} ${member}`));
    proxy.open = true;
    await waitFor(() => shown()?.[0]?.type === 'love', { timeout: 30_000 });
    await live(atBen);
    expect(atBen.conversation(id).readMarks.get(ada.userId)?.seq).toBe(1);
    expect(members).toContain(`${cleo.userId} true`);
  });

  test('comes into a conversation and is removed from it', async () => {
    const [ada, ben, cleo] = await Promise.all([person('ada'), person('ben'), person('cleo')]);
    const [atAda, atCleo] = await Promise.all([online(ada), online(cleo)]);
    const story = follow(atCleo);
    const id = await createGroup(atAda, [ben]);
    await atAda.conversation(id).send('before cleo').confirmed;
    await atAda.rest.addParticipants(id, [cleo.userId]);
    await waitFor(() => atCleo.conversations.some((conversation) => conversation.id === id));
    await atAda.conversation(id).send('welcome').confirmed;
    await waitFor(() => story.texts().includes('welcome'));
    const left: string[] = [];
    atCleo.on('left', ({ conversationId }) => left.push(conversationId));
    await atAda.rest.removeParticipant(id, cleo.userId);
    await waitFor(() => left.includes(id));
    const refused = atCleo.conversation(id).send('still here?');
    await expect(refused.confirmed).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(refused.state).toBe('refused');
  });

  test('friends, presence and typing', async () => {
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const [atAda, atBen] = await Promise.all([online(ada), online(ben)]);
    const requests: string[] = [];
    atBen.on('friendRequest', ({ requester }) => requests.push(requester._id));
    await atAda.rest.requestFriend(ben.userId);
    await waitFor(() => requests.length === 1);
    expect(requests).toEqual([ada.userId]);
    const [request] = await atBen.rest.friendRequests('pending');
    await atBen.rest.answerFriendRequest(request?._id ?? '', 'accept');
    await waitFor(() => atAda.online.has(ben.userId) && atBen.online.has(ada.userId));
    expect((await atAda.rest.friends()).map(({ _id }) => _id)).toEqual([ben.userId]);

    const id = await createGroup(atAda, [ben]);
    await waitFor(() => atBen.conversations.some((conversation) => conversation.id === id));
    atAda.conversation(id).keyPressed();
    await waitFor(() => atBen.conversation(id).typing[0] === ada.userId);
    await atAda.conversation(id).send('done').confirmed;
    await waitFor(() => atBen.conversation(id).typing.length === 0);
    atBen.close();
    await waitFor(() => !atAda.online.has(ben.userId), { timeout: 20_000 });
  });

  test('what the server will not have is refused, with the reason', async () => {
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const [atAda, atBen] = await Promise.all([online(ada), online(ben)]);
    const own = await createGroup(atAda, []).catch((error: unknown) => error);
    expect(own).toMatchObject({ code: 'VALIDATION', retryable: false });
    const id = await createGroup(atAda, [await person('cleo')]);
    for (const [client, content, code] of [
      [atBen, 'not a member', 'NOT_FOUND'],
      [atAda, '   ', 'VALIDATION'],
      [atAda, 'x'.repeat(4001), 'VALIDATION'],
    ] as const) {
      const entry = client.conversation(id).send(content);
      await expect(entry.confirmed).rejects.toMatchObject({ code });
    }
    await expect(atBen.conversation(id).loadOlder()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await historyOf(atAda, id)).toEqual([]);

    using stranger = connectSocket('not a token', { url: server.url });
    await waitFor(() => stranger.state.name === 'refused');
    expect(stranger.state).toMatchObject({ error: { code: 'AUTH_INVALID' } });
  });

  test('a server that cannot be reached is waited for', async () => {
    using proxy = await startProxy(server.url);
    proxy.open = false;
    const ada = await person('ada');
    const client = ada.open({ url: proxy.url });
    clients.push(client);
    await waitFor(() => client.state.name === 'offline');
    expect(client.state).toMatchObject({ error: { code: 'UNAVAILABLE', retryable: true } });
    proxy.open = true;
    client.reconnect();
    await live(client);
  });

  const impatient = (url: string) =>
    socketIoWires({ url, path: '/socket.io', transports: ['websocket'], patience: 500 });

  test('a connection that is gone without a word is left long before the next ping', async () => {
    using proxy = await startProxy(server.url);
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const atAda = await online(ada, { openWire: impatient(proxy.url) });
    const id = await createGroup(atAda, [ben]);
    const story = follow(atAda);
    proxy.freeze();
    const entry = atAda.conversation(id).send('into the void');
    // Engine.IO would take 45 s.
    await waitFor(() => story.states.includes('offline'), { timeout: 20_000 });
    await entry.confirmed;
    const history = await converged(id, 1, atAda);
    expect(texts(history)).toEqual(['into the void']);
  });

  test('a gateway that answers is kept, however long a message takes', async () => {
    using proxy = await startProxy(server.url);
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const atAda = await online(ada, { openWire: impatient(proxy.url) });
    const id = await createGroup(atAda, [ben]);
    const story = follow(atAda);
    let checks = 0;
    proxy.swallows = (frame) => {
      const isCheck = frame.includes('"VALIDATION"');
      checks += Number(isCheck);
      return !isCheck;
    };
    const entry = atAda.conversation(id).send('this takes long');
    await waitFor(() => checks === 1, { describe: 'the connection to be checked' });
    expect(story.states).toEqual(['live']);
    proxy.swallows = () => false;
    expect((await entry.confirmed).seq).toBe(1);
    expect(story.states).toEqual(['live']);
  });

  test('long-polling, where nothing else gets through', async () => {
    const [ada, ben] = await Promise.all([person('ada'), person('ben')]);
    const atAda = await online(ada, { transports: ['polling'] });
    const id = await createGroup(atAda, [ben]);
    await atAda.conversation(id).send('slowly').confirmed;
    await converged(id, 1, atAda);
  });
});

describe('tokens that live for seconds', () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone({ ACCESS_TOKEN_TTL: '5000' });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('are renewed before they expire, without a reconnect; a logout ends it', async () => {
    const [ada, ben] = await Promise.all([
      Person.create(server.url, 'ada'),
      Person.create(server.url, 'ben'),
    ]);
    let asked = 0;
    using client = connectSocket(
      (refused) => {
        asked += 1;
        return ada.session.token(refused);
      },
      { url: server.url },
    );
    await live(client);
    const story = follow(client);
    await waitFor(() => asked >= 4, { timeout: 25_000 });
    const id = await createGroup(client, [ben]);
    await client.conversation(id).send('still the same connection').confirmed;
    expect(story.states).toEqual(['live']);
    expect(story.errors).toEqual([]);
    await ada.session.logout();
    await waitFor(() => client.state.name === 'refused', { timeout: 20_000 });
    expect(client.state).toMatchObject({ error: { code: 'AUTH_REQUIRED' } });
  });
});
