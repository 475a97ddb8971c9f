import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, type TestContext } from 'vitest';
import { launchBrowser, noBrowser } from '../src/chromium.ts';

/** One browser for the tests of a file; each opens contexts of its own in it. */
export function useBrowser(): (context: TestContext) => Browser {
  let browser: Browser | null = null;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });
  return (context) => browser ?? context.skip(noBrowser);
}
