import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';

const candidates = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const executablePath = candidates.find((path) => path !== '' && existsSync(path));
export const noBrowser = 'no Chromium on this machine; CHROMIUM_PATH can name one';

/** Null when there is none on this machine. */
export async function launchBrowser(): Promise<Browser | null> {
  if (executablePath === undefined) {
    return null;
  }
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/**
 * A front end's own origin: a page that has the library as `globalThis.chat`. `/sandboxed` is the
 * same where the browser allows no storage at all.
 */
export async function servePage(library: string) {
  const script = await readFile(library);
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    if (request.url === '/chat.js') {
      response.setHeader('content-type', 'text/javascript').end(script);
      return;
    }
    if (request.url === '/sandboxed') {
      response.setHeader('content-security-policy', 'sandbox allow-scripts');
    }
    response
      .setHeader('content-type', 'text/html')
      .end(
        '<!doctype html><title>t</title><link rel="icon" href="data:,"><script type="module">' +
          'import * as chat from "/chat.js"; globalThis.chat = chat;</script>',
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => void server.close(),
  };
}
