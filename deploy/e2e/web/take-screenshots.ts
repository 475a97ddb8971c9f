/**
 * Takes the pictures of services/web/screenshots: the demo, by Chromium, as WebP.
 *
 *   npm run screenshots -w @bambochat/e2e
 */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@bambochat/testing';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser, noBrowser } from '../src/chromium.ts';
import { Visitor } from './visitor.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(repository, 'services/web/screenshots');
const password = 'bamboo-demo';
const desktop = { width: 1200, height: 780 };
const phone = { width: 390, height: 844 };
const QUALITY = 0.82;

const demo = spawn(process.execPath, ['deploy/standalone/src/demo/main.ts'], {
  cwd: repository,
  env: { ...process.env, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  let output = '';
  demo.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const url = await waitFor(() => /ready at (http:\S+)\n/.exec(output)?.[1] ?? '', {
    timeout: 60_000,
    describe: 'the demo',
  });
  const browser = await launchBrowser();
  if (browser === null) {
    throw new Error(noBrowser);
  }
  await mkdir(folder, { recursive: true });
  try {
    await takeAll(browser, url);
  } finally {
    await browser.close();
  }
} finally {
  demo.kill('SIGINT');
}

async function takeAll(browser: Browser, url: string): Promise<void> {
  {
    await using guest = await Visitor.open(browser, url, {
      viewport: desktop,
      colorScheme: 'light',
    });
    await guest.page.getByRole('textbox', { name: 'Username' }).waitFor();
    await save(browser, guest.page, 'log-in-light');
  }
  for (const colorScheme of ['light', 'dark'] as const) {
    await using ben = await signIn(browser, url, 'ben', { colorScheme });
    await using ada = await signIn(browser, url, 'ada', { colorScheme });
    await ada.openConversation('Panda Trail');
    await ada.sees('@ada do we take');
    await ben.openConversation('Panda Trail');
    await ben.composer.pressSequentially('Or the boat?', { delay: 30 });
    await ada.page
      .locator('.typing')
      .getByText(/is typing/)
      .waitFor();
    await save(browser, ada.page, `conversation-${colorScheme}`);
    await ada.page.getByRole('link', { name: /^Friends/ }).click();
    await ada.page.getByRole('list', { name: 'All friends' }).getByText('online').first().waitFor();
    await save(browser, ada.page, `friends-${colorScheme}`);
  }
  for (const colorScheme of ['light', 'dark'] as const) {
    const options = { colorScheme, viewport: phone, isMobile: true, hasTouch: true };
    await using ada = await signIn(browser, url, 'ada', options);
    await ada.entry('Panda Trail').waitFor();
    await save(browser, ada.page, `phone-list-${colorScheme}`);
    await ada.openConversation('ليلى');
    await ada.sees('our poet from Haifa');
    await save(browser, ada.page, `phone-conversation-${colorScheme}`);
  }
  {
    await using ada = await signIn(browser, url, 'ada', { colorScheme: 'light' });
    await ada.openConversation('Ben Müller');
    await ada.context.setOffline(true);
    await ada.isConnected('offline');
    await ada.write('Written in a tunnel: it goes out by itself at the other end.');
    await ada.sees('Written in a tunnel', 'pending');
    await save(browser, ada.page, 'offline-light');
  }
}

async function signIn(
  browser: Browser,
  url: string,
  id: string,
  options: object,
): Promise<Visitor> {
  const visitor = await Visitor.open(browser, url, { viewport: desktop, ...options, userId: id });
  await visitor.logIn(id, password);
  await visitor.isConnected();
  return visitor;
}

/** As WebP, which Chromium itself makes of what it has shown. */
async function save(browser: Browser, page: Page, name: string): Promise<void> {
  // Nothing is under the pointer. Notices and the pill that says "connected" go by themselves.
  await page.mouse.move(0, 0);
  await page.waitForTimeout(1500);
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const studio = await browser.newPage();
  const encoded = await studio.evaluate(
    async ({ source, quality }) => {
      const image = new Image();
      image.src = source;
      await image.decode();
      const canvas = document.createElement('canvas');
      canvas.width = image.width;
      canvas.height = image.height;
      canvas.getContext('2d')?.drawImage(image, 0, 0);
      return canvas.toDataURL('image/webp', quality).replace(/^[^,]*,/, '');
    },
    { source: `data:image/png;base64,${png.toString('base64')}`, quality: QUALITY },
  );
  await studio.close();
  const picture = Buffer.from(encoded, 'base64');
  await writeFile(join(folder, `${name}.webp`), picture);
  process.stdout.write(`${name}.webp: ${picture.length} bytes\n`);
}
