import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, noBrowser } from './chromium.ts';
import { expectMessage } from './contract-shapes.ts';
import { createDirect, newPeople, online, type Person, privateText } from './person.ts';
import { startStandalone } from './standalone-target.ts';
import { useTarget } from './target.ts';

/** What the served script leaves in the page. */
interface PageWindow {
  io: (url: string, options: object) => Socket;
  received?: unknown[];
  socket?: Socket;
}

/** A front end's own origin: an empty page and the stock client's browser build. */
async function serveFrontEnd() {
  const client = createRequire(import.meta.url).resolve('socket.io-client/package.json');
  const script = await readFile(join(dirname(client), 'dist', 'socket.io.min.js'));
  const server = createServer((request, response) => {
    if (request.url === '/socket.io.min.js') {
      response.setHeader('content-type', 'text/javascript').end(script);
    } else {
      response
        .setHeader('content-type', 'text/html')
        .end('<!doctype html><title>t</title><script src="/socket.io.min.js"></script>');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close(),
  };
}

describe('a real browser', () => {
  const target = useTarget(() => startStandalone());
  let browser: Browser | null = null;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function openPage(browser: Browser, url: string) {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') {
        problems.push(message.text());
      }
    });
    await page.goto(url);
    return { page, problems };
  }

  test('on another origin logs in, connects, upgrades, chats and reads history', async (context) => {
    if (browser === null) {
      return context.skip(noBrowser);
    }
    const [ada, ben] = (await newPeople(target(), 'browser', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atBen = await online(target(), ben);
    const frontEnd = await serveFrontEnd();
    try {
      const { page, problems } = await openPage(browser, frontEnd.url);
      const base = target().restUrl;
      const transport = await page.evaluate(
        async ({ base, id, password }) => {
          const scope = globalThis as unknown as PageWindow;
          const answer = await fetch(`${base}/api/auth/login`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ id, password }),
          });
          const { accessToken } = (await answer.json()) as { accessToken: string };
          const received: unknown[] = [];
          const socket = scope.io(base, { auth: { token: accessToken } });
          scope.received = received;
          scope.socket = socket;
          socket.on('receive_message', (message) => received.push(message));
          await new Promise<void>((resolve, reject) => {
            socket.once('connect', resolve);
            socket.once('connect_error', reject);
          });
          const { engine } = socket.io;
          if (engine.transport.name !== 'websocket') {
            await new Promise<void>((resolve) => engine.once('upgrade', () => resolve()));
          }
          return engine.transport.name;
        },
        { base, id: ada.userId, password: ada.password },
      );
      expect(transport).toBe('websocket');

      const content = privateText('from the browser 🐼');
      const sent = await page.evaluate(
        ({ conversationId, content }) =>
          (globalThis as unknown as PageWindow).socket?.emitWithAck('send_message', {
            conversationId,
            content,
          }),
        { conversationId: _id, content },
      );
      expect(sent.success).toBe(true);
      const message = expectMessage(sent.message, { content, senderId: ada.userId, seq: 1 });
      await atBen.hears(message);

      const answer = await atBen.say(_id, privateText('to the browser'));
      await page.waitForFunction(
        () => (globalThis as unknown as PageWindow).received?.length === 1,
      );
      expect(await page.evaluate(() => (globalThis as unknown as PageWindow).received)).toEqual([
        answer,
      ]);
      const history = await page.evaluate(
        async ({ base, conversationId, token }) => {
          const page = await fetch(`${base}/messages?conversationId=${conversationId}`, {
            headers: { authorization: `Bearer ${token}` },
          });
          return ((await page.json()) as { messages: unknown[] }).messages;
        },
        { base, conversationId: _id, token: ada.accessToken },
      );
      expect(history).toEqual([message, answer]);
      expect(problems).toEqual([]);
    } finally {
      frontEnd.close();
    }
  });

  test('shows the interface at /docs, within its content security policy', async (context) => {
    if (browser === null) {
      return context.skip(noBrowser);
    }
    const { page, problems } = await openPage(browser, `${target().restUrl}/docs`);
    await page.getByText('/api/auth/login', { exact: true }).first().waitFor();
    await page.getByText('/messages', { exact: true }).first().waitFor();
    expect(problems).toEqual([]);
  });
});
