import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ChatClient } from './chat-client.ts';
import { ChatError, unavailable } from './chat-error.ts';
import { follow } from './client-story-fixture.ts';
import { PlayedServer, pass, tokenFor } from './played-server-fixture.ts';

const C = 'conversation';

describe('the list of a client', () => {
  let server: PlayedServer;
  const clients: ChatClient[] = [];
  function connect(userId: string) {
    const client = server.connect(tokenFor(userId));
    clients.push(client);
    return client;
  }

  beforeEach(() => {
    vi.useFakeTimers();
    server = new PlayedServer();
    server.conversations.set(C, []);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    for (const client of clients.splice(0)) {
      client.close();
    }
    vi.useRealTimers();
  });

  test('shows what is unread at the start, then what comes live', async () => {
    for (const text of ['one', 'two', 'three']) {
      server.say(C, 'ben', text);
    }
    server.readSeq.set(C, 1);
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    expect(ada.state.name).toBe('live');
    expect(story.seqs(C)).toEqual([2, 3]);
    expect(ada.conversation(C).unread).toBe(2);
    server.say(C, 'ben', 'four');
    expect(story.texts()).toEqual(['two', 'three', 'four']);
    expect(ada.conversation(C).unread).toBe(3);
    expect(await ada.conversation(C).loadOlder()).toBe(1);
    expect(ada.conversation(C).messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(ada.conversation(C).hasOlder).toBe(false);
  });

  test('hears live events while it is catching up, and shows each message once', async () => {
    server.say(C, 'ben', 'before');
    server.readSeq.set(C, 0);
    server.restDelay = 50;
    const ada = connect('ada');
    const story = follow(ada);
    await pass(20);
    expect(ada.state.name).toBe('catching-up');
    server.say(C, 'ben', 'meanwhile');
    expect(story.texts()).toEqual([]);
    await pass(100);
    expect(story.texts()).toEqual(['before', 'meanwhile']);
    expect(ada.state.name).toBe('live');
  });

  test('waits half a second for what is missing, then fetches it', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.delivers = () => false;
    server.say(C, 'ben', 'lost');
    server.delivers = () => true;
    server.say(C, 'ben', 'ahead');
    await pass(400);
    expect(story.texts()).toEqual([]);
    expect(server.asked.filter((path) => path.includes('/messages'))).toEqual([]);
    await pass(200);
    expect(story.texts()).toEqual(['lost', 'ahead']);
    expect(server.asked.at(-1)).toContain('after=0');
  });

  test('does not fetch what comes late by itself', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.delivers = () => false;
    const late = server.say(C, 'ben', 'late');
    server.delivers = () => true;
    server.say(C, 'ben', 'ahead');
    await pass(300);
    server.tell('ada', 'receive_message', late);
    expect(story.texts()).toEqual(['late', 'ahead']);
    await pass(2000);
    expect(server.asked.some((path) => path.includes('/messages'))).toBe(false);
  });

  test('goes on asking, with growing pauses, while the gap cannot be fetched', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.delivers = () => false;
    server.say(C, 'ben', 'lost');
    server.delivers = () => true;
    server.say(C, 'ben', 'ahead');
    server.restFailure = { status: 503, code: 'UNAVAILABLE' };
    await pass(5000);
    expect(story.texts()).toEqual([]);
    expect(story.errors).toContain('UNAVAILABLE');
    const tries = server.asked.filter((path) => path.includes('/messages')).length;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(12);
    server.restFailure = null;
    await pass(60_000);
    expect(story.texts()).toEqual(['lost', 'ahead']);
  });

  test('finds a missed last message within 60 s', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.delivers = () => false;
    server.say(C, 'ben', 'the last one');
    await pass(59_000);
    expect(story.texts()).toEqual(['the last one']);
  });

  test.each(['resync', 'conversation_joined'])('looks at once on %s', async (event) => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.delivers = (_, name) => name !== 'receive_message';
    server.say(C, 'ben', 'missed');
    server.tell('ada', event, { reason: 'test', conversationId: C });
    await pass(1100);
    expect(story.texts()).toEqual(['missed']);
  });

  test('catches up after a broken connection, page by page', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.say(C, 'ben', '1');
    server.syncLimit = 3;
    server.cut();
    expect(ada.state.name).toBe('offline');
    for (let count = 2; count <= 10; count += 1) {
      server.say(C, 'ben', String(count));
    }
    await pass(2000);
    expect(ada.state.name).toBe('live');
    expect(story.seqs(C)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(story.states).toEqual([
      'connecting',
      'catching-up',
      'live',
      'offline',
      'connecting',
      'catching-up',
      'live',
    ]);
  });

  test('looks again when there is a reason while it is looking', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    server.restDelay = 500;
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(1100);
    server.delivers = (_, name) => name !== 'receive_message';
    server.say(C, 'ben', 'while it looked');
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(2500);
    expect(story.texts()).toEqual(['while it looked']);
  });

  test('an old answer does not undo what came live for long', async () => {
    const { _id: messageId } = server.say(C, 'ben', 'hello');
    server.readSeq.set(C, 0);
    const ada = connect('ada');
    await pass(100);
    const reactions = [{ userId: 'ben', type: 'like' as const }];
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    server.restDelay = 500;
    server.news = { reactions: [{ messageId, reactions: [] }] };
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(1000);
    expect(server.news).toBeNull();
    server.tell('ada', 'reaction_update', { conversationId: C, messageId, reactions });
    expect(ada.conversation(C).messages[0]?.reactions).toEqual(reactions);
    server.news = { reactions: [{ messageId, reactions }] };
    await pass(500);
    expect(ada.conversation(C).messages[0]?.reactions).toEqual([]);
    await pass(1600);
    expect(ada.conversation(C).messages[0]?.reactions).toEqual(reactions);
  });

  test('looks when the page becomes visible, and connects when the network is back', async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'hidden' });
    const window = new EventTarget();
    vi.stubGlobal('document', page);
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    try {
      const ada = connect('ada');
      const story = follow(ada);
      await pass(100);
      server.delivers = () => false;
      server.say(C, 'ben', 'while hidden');
      page.dispatchEvent(new Event('visibilitychange'));
      await pass(5000);
      expect(story.texts()).toEqual([]);
      page.visibilityState = 'visible';
      page.dispatchEvent(new Event('visibilitychange'));
      await pass(1000);
      expect(story.texts()).toEqual(['while hidden']);
      expect(story.states).not.toContain('offline');

      // The device slept, and the connection has died meanwhile.
      server.answersChecks = false;
      page.dispatchEvent(new Event('visibilitychange'));
      await pass(1100);
      expect(story.states.slice(-4)).toEqual(['offline', 'connecting', 'catching-up', 'live']);
      server.answersChecks = true;

      vi.spyOn(Math, 'random').mockReturnValue(0.99);
      server.refusals.push(...Array.from({ length: 6 }, () => unavailable('no network')));
      server.cut();
      await pass(40_000);
      expect(ada.state).toMatchObject({ name: 'offline' });
      server.refusals.length = 0;
      window.dispatchEvent(new Event('online'));
      await pass(1100);
      expect(ada.state.name).toBe('live');
    } finally {
      vi.unstubAllGlobals();
    }
  });

  describe('read marks', () => {
    const marks = () => server.requests.filter(({ event }) => event === 'mark_read');
    const marked = () => marks().map(({ payload }) => payload.messageId);

    async function withUnread() {
      for (const text of ['one', 'two', 'three']) {
        server.say(C, 'ben', text);
      }
      server.readSeq.set(C, 0);
      const ada = connect('ada');
      await pass(100);
      return ada.conversation(C);
    }

    test('made without a connection are shown, and told when there is one: the furthest', async () => {
      const conversation = await withUnread();
      expect(conversation.unread).toBe(3);
      vi.spyOn(Math, 'random').mockReturnValue(0.5);
      server.refusals.push(unavailable('no network'));
      server.cut();
      const results = [1, 3, 2].map((seq) => conversation.markRead(`${C}-${seq}`));
      expect(conversation.unread).toBe(0);
      await pass(1000);
      expect(marked()).toEqual([]);
      await pass(10_000);
      expect(await Promise.all(results)).toEqual([0, 0, 0]);
      expect(marked()).toEqual([`${C}-3`]);
      expect(conversation.readMarks.get('ada')?.seq).toBe(3);
    });

    test('are tried again, and overtaken by later ones', async () => {
      const conversation = await withUnread();
      server.fate = () => (marks().length < 3 ? 'lose' : 'answer');
      const early = conversation.markRead(`${C}-1`);
      await pass(10);
      const late = conversation.markRead();
      await pass(60_000);
      expect(marked()).toEqual([`${C}-1`, `${C}-3`, `${C}-3`]);
      expect(await Promise.all([early, late])).toEqual([0, 0]);
    });

    test('that the server refuses are not tried again', async () => {
      const conversation = await withUnread();
      server.fate = () => new ChatError('NOT_FOUND', 'Not found', false);
      await expect(conversation.markRead()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await pass(60_000);
      expect(marks()).toHaveLength(1);
    });

    test('end with the client', async () => {
      const conversation = await withUnread();
      server.fate = () => 'lose';
      const result = conversation.markRead();
      clients[0]?.close();
      await expect(result).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(conversation.markRead()).rejects.toMatchObject({ code: 'CLOSED' });
      await pass(60_000);
      expect(marks()).toHaveLength(1);
    });
  });

  test('many reasons to look make few requests', async () => {
    connect('ada');
    await pass(100);
    const before = server.asked.length;
    for (let count = 0; count < 100; count += 1) {
      server.tell('ada', 'resync', { reason: 'test' });
    }
    await pass(5000);
    expect(server.asked.length - before).toBeLessThanOrEqual(2);
  });

  test('forgets a conversation that it was removed from', async () => {
    const ada = connect('ada');
    const left: string[] = [];
    ada.on('left', ({ conversationId }) => left.push(conversationId));
    await pass(100);
    expect(ada.conversations.map(({ id }) => id)).toEqual([C]);
    server.conversations.delete(C);
    server.left = [C];
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(1100);
    expect(left).toEqual([C]);
    expect(ada.conversations).toEqual([]);
  });

  test('shows reactions, read marks and members, live and caught up', async () => {
    const said = server.say(C, 'ben', 'hello');
    server.readSeq.set(C, 0);
    const ada = connect('ada');
    await pass(100);
    const conversation = ada.conversation(C);
    const like = [{ userId: 'ben', type: 'like' }];
    server.tell('ada', 'reaction_update', {
      conversationId: C,
      messageId: said._id,
      reactions: like,
    });
    expect(conversation.messages[0]?.reactions).toEqual(like);
    server.tell('ada', 'message_read_update', {
      conversationId: C,
      userId: 'ada',
      messageId: said._id,
      seq: 1,
    });
    expect(conversation.unread).toBe(0);
    const members: unknown[] = [];
    ada.on('member', (change) => members.push(change));
    server.news = {
      reactions: [{ messageId: said._id, reactions: [] }],
      readMarks: [{ userId: 'ben', messageId: said._id, seq: 1 }],
      members: [{ userId: 'cleo', member: true, role: 'member' }],
    };
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(1100);
    expect(conversation.messages[0]?.reactions).toEqual([]);
    expect(conversation.readMarks.get('ben')?.seq).toBe(1);
    expect(members).toEqual([{ conversationId: C, userId: 'cleo', member: true, role: 'member' }]);
  });

  test('begins anew when the server cannot read the token of the last answer', async () => {
    const ada = connect('ada');
    const story = follow(ada);
    await pass(100);
    server.restFailure = { status: 400, code: 'VALIDATION' };
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(1100);
    server.restFailure = null;
    const before = server.asked.length;
    await pass(3000);
    expect(server.asked[before]).toBe('GET /sync?limit=500');
    server.say(C, 'ben', 'still here');
    expect(story.texts()).toEqual(['still here']);
  });

  test('says who types, and forgets when nothing follows', async () => {
    const ada = connect('ada');
    await pass(100);
    const conversation = ada.conversation(C);
    const typing = { conversationId: C, userId: 'ben', isTyping: true };
    server.tell('ada', 'typing', typing);
    expect(conversation.typing).toEqual(['ben']);
    await pass(9000);
    expect(conversation.typing).toEqual([]);
    server.tell('ada', 'typing', typing);
    server.say(C, 'ben', 'done');
    expect(conversation.typing).toEqual([]);
  });

  test('tells others about typing sparingly, and when it is over', async () => {
    const ada = connect('ada');
    await pass(100);
    const said = () =>
      server.requests.filter(({ event }) => event === 'typing').map((r) => r.payload.isTyping);
    for (let count = 0; count < 20; count += 1) {
      ada.conversation(C).keyPressed();
      await pass(200);
    }
    expect(said()).toEqual([true, true]);
    await pass(6000);
    expect(said()).toEqual([true, true, false]);
  });

  test('knows which friends are online', async () => {
    const ada = connect('ada');
    const changes: string[] = [];
    ada.on('presence', ({ userId, online }) => changes.push(`${userId} ${online}`));
    await pass(100);
    server.tell('ada', 'presence_snapshot', { online: ['ben', 'cleo'] });
    server.tell('ada', 'user_online_status', { userId: 'ben', online: false, lastSeenAt: 'x' });
    server.tell('ada', 'presence_snapshot', { online: ['dan'] });
    expect([...ada.online]).toEqual(['dan']);
    expect(changes).toEqual(['ben true', 'cleo true', 'ben false', 'cleo false', 'dan true']);
  });
});
