import { join } from 'node:path';
import { waitFor } from '@bambochat/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, noBrowser, servePage } from './browser-fixture.ts';
import type { ChatClient } from './chat-client.ts';
import type * as library from './index.ts';
import { installPacked, type PackedProject } from './packed-library-fixture.ts';
import {
  createGroup,
  historyOf,
  Person,
  type Standalone,
  startStandalone,
} from './standalone-fixture.ts';
import { startProxy } from './tcp-proxy-fixture.ts';

/** What the page and the tests leave in it. */
interface PageScope {
  chat: typeof library;
  client: ChatClient;
  errors: string[];
}
type Kind = 'webStorageOutbox' | 'indexedDbOutbox';

describe('the packed library in a real browser', () => {
  let project: PackedProject;
  let server: Standalone;
  let browser: Browser | null = null;
  let page: Awaited<ReturnType<typeof servePage>>;

  beforeAll(async () => {
    [project, server, browser] = await Promise.all([
      installPacked(),
      startStandalone(),
      launchBrowser(),
    ]);
    page = await servePage(join(project.library, 'browser.min.js'));
  });
  afterAll(async () => {
    await browser?.close();
    page?.[Symbol.dispose]();
    await Promise.all([project?.[Symbol.asyncDispose](), server?.[Symbol.asyncDispose]()]);
  });

  /** A group of two, the second of them here. */
  async function company() {
    const [ada, ben] = await Promise.all([
      Person.create(server.url, 'ada'),
      Person.create(server.url, 'ben'),
    ]);
    const atBen = await ben.online();
    return { ada, atBen, id: await createGroup(atBen, [ada]) };
  }

  async function openTab(context: BrowserContext, path = '/') {
    const tab = await context.newPage();
    const problems: string[] = [];
    tab.on('pageerror', (error) => problems.push(error.message));
    await tab.goto(`${page.url}${path}`);
    await tab.waitForFunction(() => 'chat' in globalThis);
    return { tab, problems };
  }

  /** @param url of the sockets; REST may go elsewhere */
  async function connectIn(tab: Page, who: Person, url: string, kind: Kind): Promise<void> {
    await tab.waitForFunction(() => 'chat' in globalThis);
    const token = await who.session.token();
    await tab.evaluate(
      ({ token, url, restUrl, kind }) => {
        const scope = globalThis as unknown as PageScope;
        const storage = scope.chat[kind]();
        scope.errors = [];
        scope.client = scope.chat.connectSocket(token, { url, restUrl, storage });
        scope.client.on('error', ({ code }) => scope.errors.push(code));
      },
      { token, url, restUrl: server.url, kind },
    );
  }

  /** Writes, and waits until all of it is in the outbox. */
  function write(tab: Page, id: string, contents: string[]): Promise<void> {
    return tab.evaluate(
      async ({ id, contents }) => {
        const { client } = globalThis as unknown as PageScope;
        const entries = contents.map((content) => client.conversation(id).send(content));
        while (entries.some(({ state }) => state === 'storing')) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      },
      { id, contents },
    );
  }
  const pendingIn = (tab: Page, id: string) =>
    tab.evaluate(
      (id) =>
        (globalThis as unknown as PageScope).client
          .conversation(id)
          .pending.map(({ content }) => content),
      id,
    );
  const hurry = (tab: Page) =>
    tab.evaluate(() => (globalThis as unknown as PageScope).client.reconnect());
  async function stored(atBen: ChatClient, id: string, count: number) {
    await waitFor(async () => (await historyOf(atBen, id)).length >= count, { timeout: 20_000 });
    return (await historyOf(atBen, id)).map(({ content }) => content);
  }

  test('chats both ways', async (context) => {
    if (browser === null) {
      return context.skip(noBrowser);
    }
    const { ada, atBen, id } = await company();
    using _ = atBen;
    await using tabs = await browser.newContext();
    const { tab, problems } = await openTab(tabs);
    await connectIn(tab, ada, server.url, 'webStorageOutbox');
    await write(tab, id, ['from the browser 🐼']);
    await waitFor(() => atBen.conversation(id).messages.length === 1);
    await atBen.conversation(id).send('to the browser').confirmed;
    await tab.waitForFunction(
      (id) => (globalThis as unknown as PageScope).client.conversation(id).messages.length === 2,
      id,
    );
    const shown = await tab.evaluate(
      (id) => (globalThis as unknown as PageScope).client.conversation(id).messages,
      id,
    );
    expect(shown).toEqual(atBen.conversation(id).messages);
    expect(await pendingIn(tab, id)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test.for<Kind>(['webStorageOutbox', 'indexedDbOutbox'])(
    'what is pending outlives a reload of the page: %s',
    async (kind, context) => {
      if (browser === null) {
        return context.skip(noBrowser);
      }
      const { ada, atBen, id } = await company();
      using _ = atBen;
      using proxy = await startProxy(server.url);
      proxy.open = false;
      await using tabs = await browser.newContext();
      const { tab } = await openTab(tabs);
      await connectIn(tab, ada, proxy.url, kind);
      const contents = Array.from({ length: 12 }, (_, index) => `written offline ${index}`);
      await write(tab, id, contents);
      await tab.reload();
      await connectIn(tab, ada, proxy.url, kind);
      await waitFor(async () => (await pendingIn(tab, id)).length === 12);
      expect(await pendingIn(tab, id)).toEqual(contents);
      await write(tab, id, ['after the reload']);
      proxy.open = true;
      await hurry(tab);
      expect(await stored(atBen, id, 13)).toEqual([...contents, 'after the reload']);
      await waitFor(async () => (await pendingIn(tab, id)).length === 0);
      await tab.reload();
      await connectIn(tab, ada, proxy.url, kind);
      await tab.waitForFunction(
        () => (globalThis as unknown as PageScope).client.state.name === 'live',
      );
      expect(await pendingIn(tab, id)).toEqual([]);
      expect(await stored(atBen, id, 13)).toHaveLength(13);
    },
  );

  test.for<[Kind, string]>([
    ['webStorageOutbox', 'with Web Locks'],
    ['indexedDbOutbox', 'with Web Locks'],
    ['indexedDbOutbox', 'without'],
  ])(
    'tabs send what all wrote once and in order, also when one is closed: %s, %s',
    async ([kind, locks], context) => {
      if (browser === null) {
        return context.skip(noBrowser);
      }
      const { ada, atBen, id } = await company();
      using _ = atBen;
      using proxy = await startProxy(server.url);
      await using tabs = await browser.newContext();
      if (locks === 'without') {
        await tabs.addInitScript(() => {
          Object.defineProperty(navigator, 'locks', { value: undefined });
        });
      }
      const [one, two, three] = await Promise.all([openTab(tabs), openTab(tabs), openTab(tabs)]);
      const all = [one.tab, two.tab, three.tab];
      for (const tab of all) {
        await connectIn(tab, ada, proxy.url, kind);
      }
      for (const tab of all) {
        await tab.waitForFunction(
          () => (globalThis as unknown as PageScope).client.state.name === 'live',
        );
      }
      proxy.open = false;
      proxy.cut();
      const contents: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        for (const [index, tab] of all.entries()) {
          const content = `tab ${index}, round ${round}`;
          contents.push(content);
          await write(tab, id, [content]);
        }
      }
      await three.tab.close();
      proxy.open = true;
      await Promise.all([hurry(one.tab), hurry(two.tab)]);
      expect(await stored(atBen, id, 12)).toEqual(contents);
      for (const tab of [one.tab, two.tab]) {
        await waitFor(async () => (await pendingIn(tab, id)).length === 0);
        // One by one while both are there: whoever does not hold the lock is served, too.
        await write(tab, id, ['online']);
      }
      expect(await stored(atBen, id, 14)).toEqual([...contents, 'online', 'online']);
    },
  );

  test('a storage that is full is told, and what was written is not sent', async (context) => {
    if (browser === null) {
      return context.skip(noBrowser);
    }
    const { ada, atBen, id } = await company();
    using _ = atBen;
    await using tabs = await browser.newContext();
    const { tab } = await openTab(tabs);
    await connectIn(tab, ada, server.url, 'webStorageOutbox');
    const outcome = await tab.evaluate(async (id) => {
      const { client, errors } = globalThis as unknown as PageScope;
      for (let size = 4_000_000; size >= 1; size = Math.floor(size / 2)) {
        try {
          for (let count = 0; ; count += 1) {
            localStorage.setItem(`fill-${size}-${count}`, 'x'.repeat(size));
          }
        } catch {}
      }
      const refused = await client
        .conversation(id)
        .send('x'.repeat(3000))
        .confirmed.catch(({ code }) => code);
      localStorage.clear();
      const { content } = await client.conversation(id).send('room again').confirmed;
      return { refused, content, errors };
    }, id);
    expect(outcome).toEqual({ refused: 'STORAGE', content: 'room again', errors: ['STORAGE'] });
    expect(await stored(atBen, id, 1)).toEqual(['room again']);
  });

  test.for<Kind>(['webStorageOutbox', 'indexedDbOutbox'])(
    'a storage that the browser blocks is told: %s',
    async (kind, context) => {
      if (browser === null) {
        return context.skip(noBrowser);
      }
      const { ada, atBen, id } = await company();
      using _ = atBen;
      await using tabs = await browser.newContext();
      const { tab } = await openTab(tabs, '/sandboxed');
      await connectIn(tab, ada, server.url, kind);
      const refused = await tab.evaluate(
        (id) =>
          (globalThis as unknown as PageScope).client
            .conversation(id)
            .send('nowhere to keep it')
            .confirmed.catch(({ code }) => code),
        id,
      );
      expect(refused).toBe('STORAGE');
      expect(await historyOf(atBen, id)).toEqual([]);
    },
  );
});
