import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { MessageWindow } from './message-window.ts';
import { PlayedServer, pass, tokenFor } from './played-server-fixture.ts';

const C = 'c-1';

describe('a window of a conversation', () => {
  let server: PlayedServer;

  beforeEach(() => {
    vi.useFakeTimers();
    server = new PlayedServer();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** Ada, in a conversation that has `count` messages, `unread` of them new to her. */
  async function open(count: number, { unread = 0, size = 20, keepMessages = 30 } = {}) {
    for (let n = 1; n <= count; n += 1) {
      server.say(C, 'ben', `text ${n}`);
    }
    server.conversations.set(C, server.conversations.get(C) ?? []);
    server.readSeq.set(C, count - unread);
    const client = server.connect(tokenFor('ada'), { keepMessages });
    await pass(100);
    const conversation = client.conversation(C);
    return { client, conversation, window: conversation.openWindow({ size }) };
  }

  function range({ messages }: MessageWindow): string {
    for (const [index, { seq }] of messages.entries()) {
      expect(seq).toBe((messages[0]?.seq ?? 0) + index);
    }
    return messages.length === 0 ? 'none' : `${messages[0]?.seq}–${messages.at(-1)?.seq}`;
  }

  test('begins with what is in memory', async () => {
    const { window } = await open(100, { unread: 5 });
    expect(range(window)).toBe('96–100');
  });

  test('begins with the newest page when nothing is in memory', async () => {
    const { window } = await open(100);
    expect(range(window)).toBe('none');
    expect(window.hasOlder).toBe(true);
    await window.loadOlder(10);
    expect(range(window)).toBe('91–100');
  });

  test('an empty conversation begins with the first message', async () => {
    const { window } = await open(0);
    expect(window.hasOlder).toBe(false);
    server.say(C, 'ben', 'new');
    expect(range(window)).toBe('1–1');
  });

  test('reads back to the first message and returns, never holding more than its size', async () => {
    const { window } = await open(1000);
    await window.loadOlder(10);
    let most = 0;
    while (window.hasOlder) {
      expect(await window.loadOlder(10)).toBeGreaterThan(0);
      most = Math.max(most, window.messages.length);
      range(window);
    }
    expect(range(window)).toBe('1–20');
    expect(await window.loadOlder(10)).toBe(0);
    while (window.hasNewer) {
      expect(await window.loadNewer(10)).toBeGreaterThan(0);
      most = Math.max(most, window.messages.length);
    }
    expect(range(window)).toBe('981–1000');
    expect(most).toBe(20);
  });

  test('the live list stays as it is while a window reads back', async () => {
    const { conversation, window } = await open(200);
    await window.loadOlder(10);
    const live = conversation.messages;
    for (let turn = 0; turn < 10; turn += 1) {
      await window.loadOlder(10);
    }
    expect(conversation.messages).toBe(live);
  });

  test('follows what comes, and lets go of the oldest', async () => {
    const { window } = await open(100, { unread: 20 });
    expect(range(window)).toBe('81–100');
    server.say(C, 'ben', 'new');
    expect(range(window)).toBe('82–101');
    expect(window.hasNewer).toBe(false);
  });

  test('who reads back in a full window is not pushed along', async () => {
    const { window } = await open(100, { unread: 10 });
    await window.loadOlder(10);
    const before = window.messages;
    server.say(C, 'ben', 'new');
    expect(window.messages).toBe(before);
    expect(window.hasNewer).toBe(true);
    window.showNewest();
    expect(window.messages.at(-1)?.content).toBe('new');
    expect(window.hasNewer).toBe(false);
  });

  test('going to the newest keeps what joins on', async () => {
    const { window } = await open(100, { unread: 2 });
    await window.loadOlder(10);
    expect(range(window)).toBe('89–100');
    window.showNewest();
    expect(range(window)).toBe('89–100');
    await window.showAround(50);
    window.showNewest();
    expect(range(window)).toBe('99–100');
  });

  test('joins the live list again, without the network where that has the messages', async () => {
    const { window } = await open(100, { unread: 20 });
    await window.loadOlder(10);
    expect(range(window)).toBe('71–90');
    server.say(C, 'ben', 'new');
    const asked = server.asked.length;
    while (window.hasNewer) {
      await window.loadNewer(10);
    }
    expect(range(window)).toBe('82–101');
    expect(server.asked.length).toBe(asked);
    server.say(C, 'ben', 'newer');
    expect(range(window)).toBe('83–102');
  });

  test('shows the part around any message', async () => {
    const { window } = await open(1000);
    await window.showAround(500);
    expect(range(window)).toBe('490–509');
    await window.showAround(3);
    expect(window.messages[0]?.seq).toBe(1);
    await window.showAround(1000);
    expect(window.messages.at(-1)?.seq).toBe(1000);
  });

  test('a page that comes after something else is shown is dropped', async () => {
    const { window } = await open(1000);
    await window.loadOlder(10);
    server.restDelay = 1000;
    const around = window.showAround(500);
    window.showNewest();
    const older = window.loadOlder(10);
    await pass(1500);
    await Promise.all([around, older]);
    expect(window.messages.at(-1)?.seq).toBe(1000);
    range(window);
  });

  test('a page that fails leaves everything as it was, and can be asked for again', async () => {
    const { window } = await open(1000);
    await window.loadOlder(10);
    server.restFailure = { status: 503, code: 'UNAVAILABLE' };
    await expect(window.loadOlder(10)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(range(window)).toBe('991–1000');
    server.restFailure = null;
    await window.loadOlder(10);
    expect(range(window)).toBe('981–1000');
  });

  test('shows reactions to messages that the live list has let go', async () => {
    const { conversation, window } = await open(1000);
    await window.showAround(500);
    const message = window.messages[0];
    await conversation.react(message?._id ?? '', 'love');
    expect(window.messages[0]?.reactions).toEqual([{ userId: 'ada', type: 'love' }]);
  });

  test('a reaction that overtakes the page of its message is not lost', async () => {
    const { window } = await open(1000);
    server.restDelay = 1000;
    const around = window.showAround(500);
    await pass(500);
    const reactions = [{ userId: 'ben', type: 'sad' }];
    server.tell('ada', 'reaction_update', { conversationId: C, messageId: `${C}-500`, reactions });
    await pass(1000);
    await around;
    expect(window.messages.find(({ seq }) => seq === 500)?.reactions).toEqual(reactions);
  });

  test('reads its part again when the server cannot say which reactions have changed', async () => {
    const { window } = await open(1000);
    await window.showAround(500);
    const stored = server.conversations.get(C) ?? [];
    const reactions = [{ userId: 'ben', type: 'haha' } as const];
    stored[499] = { ...(stored[499] as (typeof stored)[number]), reactions: [...reactions] };
    server.news = { reset: true };
    server.tell('ada', 'resync', { reason: 'test' });
    await pass(3000);
    expect(window.messages.find(({ seq }) => seq === 500)?.reactions).toEqual(reactions);
    expect(range(window)).toBe('490–509');
  });

  test('a closed window changes no more', async () => {
    const { window } = await open(100, { unread: 5 });
    window.close();
    const before = window.messages;
    server.say(C, 'ben', 'new');
    expect(window.messages).toBe(before);
  });

  test('windows that nobody closes are refused in the end', async () => {
    const { conversation } = await open(1);
    expect(() => {
      for (let n = 0; n < 30; n += 1) {
        conversation.openWindow();
      }
    }).toThrow(/20 windows/);
  });
});
