import type { ChatClient } from '@bambochat/client';
import { afterEach, describe, expect, test } from 'vitest';
import type { UserStorage } from '../session/user-storage.ts';
import { ConversationView, type ViewState } from './conversation-view.ts';
import { FailedMessages } from './failed-messages.ts';
import { KeptMessages } from './kept-messages.ts';
import { C, PlayedServices } from './played-services-fixture.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0).toReversed()) {
    close();
  }
});

function storage(): UserStorage {
  const kept = new Map<string, unknown>();
  return {
    read: <Value>(name: string) => (kept.get(name) as Value | undefined) ?? null,
    write: (name, value) => kept.set(name, value),
  };
}

function open(client: ChatClient, memory = storage()) {
  const failed = new FailedMessages(client, memory);
  const kept = new KeptMessages(memory);
  const view = new ConversationView({ client, failed, kept, userId: 'ada', conversationId: C });
  closing.push(
    () => client.close(),
    () => view.close(),
  );
  return { view, failed };
}

/** The first state from now on of which this holds, however soon it is over. */
function until(view: ConversationView, holds: (state: ViewState) => boolean): Promise<ViewState> {
  return new Promise((resolve) => {
    const look = () => {
      const state = view.store.get();
      if (holds(state)) {
        stop();
        resolve(state);
      }
    };
    const stop = view.store.subscribe(look);
    look();
  });
}

/** What is said, with the state of what is not stored. */
function texts({ rows }: ViewState): string[] {
  return rows.flatMap((row) => {
    if (row.kind === 'message') {
      return [row.message.content];
    }
    return row.kind === 'outgoing' ? [`${row.message.content} (${row.message.state})`] : [];
  });
}

describe('a conversation on the screen', () => {
  test('is opened where the new messages begin, with some of those before', async () => {
    const services = new PlayedServices();
    for (let n = 1; n <= 10; n += 1) {
      services.say('ben', `text ${n}`);
    }
    services.readSeq = 7;
    const { view } = open(await services.connect());
    const state = await until(view, ({ status }) => status === 'ready');
    expect(texts(state)).toHaveLength(10);
    expect(state).toMatchObject({ dividerSeq: 7, unread: 3, hasOlder: false, hasNewer: false });
    expect(state.rows.findIndex(({ kind }) => kind === 'divider')).toBe(8);
  });

  test('with very many new messages the first of them is shown, and the last is not', async () => {
    const services = new PlayedServices();
    for (let n = 1; n <= 1000; n += 1) {
      services.say('ben', `text ${n}`);
    }
    services.readSeq = 300;
    const { view } = open(await services.connect());
    const state = await until(view, ({ status }) => status === 'ready');
    expect(texts(state)).toContain('text 301');
    expect(state.hasNewer).toBe(true);
  });

  test('what is sent is there at once, and keeps its row when it is stored', async () => {
    const services = new PlayedServices();
    const { view } = open(await services.connect());
    await until(view, ({ status }) => status === 'ready');
    view.send('hello');
    const before = await until(view, ({ rows }) => rows.some(({ kind }) => kind === 'outgoing'));
    expect(texts(before)).toEqual(['hello (pending)']);
    const after = await until(view, ({ rows }) => rows.some(({ kind }) => kind === 'message'));
    expect(after.rows.map(({ key }) => key)).toEqual(before.rows.map(({ key }) => key));
  });

  test('what is refused stays until it is sent again or discarded', async () => {
    const services = new PlayedServices();
    const { view, failed } = open(await services.connect());
    await until(view, ({ status }) => status === 'ready');
    services.refusal = 'TOO_LARGE';
    view.send('one');
    view.send('two');
    const state = await until(
      view,
      (now) =>
        texts(now)
          .join()
          .match(/failed/g)?.length === 2,
    );
    expect(texts(state)).toEqual(['one (failed)', 'two (failed)']);
    services.refusal = null;
    const [one, two] = failed.of(C);
    failed.retry(one?.clientMessageId ?? '');
    failed.discard(two?.clientMessageId ?? '');
    await until(view, (now) => texts(now).join() === 'one');
    expect(failed.of(C)).toEqual([]);
  });

  test('what comes while nobody looks is new, and what comes before their eyes is not', async () => {
    const services = new PlayedServices();
    const { view } = open(await services.connect());
    await until(view, ({ status }) => status === 'ready');
    services.say('ben', 'seen');
    expect((await until(view, (now) => texts(now).length === 1)).dividerSeq).toBe(null);
    view.markRead(services.messages[0] as (typeof services.messages)[number]);
    view.attend(false);
    services.say('ben', 'unseen');
    expect((await until(view, (now) => texts(now).length === 2)).dividerSeq).toBe(1);
    view.send('answer');
    await until(view, ({ dividerSeq }) => dividerSeq === null);
  });

  test('without a connection the messages of the last visit are shown, and what is written', async () => {
    const services = new PlayedServices();
    const memory = storage();
    services.say('ben', 'before');
    services.readSeq = 1;
    const client = await services.connect();
    const { view } = open(client, memory);
    await until(view, ({ status }) => status === 'ready');
    view.close();
    client.close();
    services.isReachable = false;
    const second = open(await services.connect(), memory).view;
    second.send('offline');
    const state = await until(second, (now) => texts(now).length === 2);
    expect(state.status).toBe('unavailable');
    expect(texts(state)).toEqual(['before', 'offline (pending)']);
  });
});
