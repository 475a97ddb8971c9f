import { waitFor } from '@bambochat/testing';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
} from 'playwright-core';
import { expect } from 'vitest';
import type { Person } from '../src/person.ts';

/** Milliseconds in which a busy machine does anything that a person waits for. */
export const PATIENCE = 60_000;

/** A message as the page shows it. */
export interface ShownMessage {
  readonly id: string;
  /** Null: it has no place yet. */
  readonly seq: number | null;
  readonly state: string;
  readonly text: string;
}

/** Somebody at a browser of their own. Finds everything by role and accessible name. */
export class Visitor implements AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly userId: string;
  /** Uncaught errors, and violations of the content security policy. */
  readonly problems: string[] = [];

  private constructor(context: BrowserContext, page: Page, userId: string) {
    this.context = context;
    this.page = page;
    this.userId = userId;
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (/content security policy|violates/i.test(message.text())) {
        this.problems.push(message.text());
      }
    });
  }

  /** At the log-in page. */
  static async open(
    browser: Browser,
    url: string,
    options: BrowserContextOptions & { userId?: string } = {},
  ): Promise<Visitor> {
    const { userId = 'nobody', ...settings } = options;
    const context = await browser.newContext({ locale: 'en', ...settings });
    const visitor = new Visitor(context, await context.newPage(), userId);
    await visitor.page.goto(url);
    return visitor;
  }

  /** Logged in and up to date. */
  static async signedIn(
    browser: Browser,
    url: string,
    person: Person,
    options: BrowserContextOptions = {},
  ): Promise<Visitor> {
    const visitor = await Visitor.open(browser, url, { ...options, userId: person.userId });
    await visitor.logIn(person.userId, person.password);
    await visitor.isConnected();
    return visitor;
  }

  async logIn(userId: string, password: string): Promise<void> {
    const { page } = this;
    await page.getByRole('textbox', { name: 'Username' }).fill(userId);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.locator('form').getByRole('button', { name: 'Log in' }).click();
  }

  async isConnected(name = 'live'): Promise<void> {
    await this.page.locator(`[data-connection="${name}"]`).waitFor();
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' });
  }

  get log(): Locator {
    return this.page.getByRole('log', { name: 'Messages' });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message', exact: true });
  }

  /** The entry of the list of conversations that names this. */
  entry(name: string): Locator {
    return this.page
      .getByRole('navigation', { name: 'Conversations' })
      .getByRole('link')
      .filter({ has: this.page.locator('.conversation-title', { hasText: name }) });
  }

  async openConversation(name: string): Promise<void> {
    await this.entry(name).click();
    await this.composer.waitFor();
  }

  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.button('Send').click();
  }

  /** A message with this text, in one of these states. */
  message(text: string, state?: string): Locator {
    const rows = this.log.getByRole('article').filter({ hasText: text });
    return state === undefined ? rows : rows.and(this.page.locator(`[data-state="${state}"]`));
  }

  async sees(text: string, state?: string): Promise<void> {
    await this.message(text, state).first().waitFor();
  }

  /** What the list of messages shows, from above to below. */
  shown(): Promise<ShownMessage[]> {
    return this.log.evaluate((log) =>
      [...log.querySelectorAll<HTMLElement>('[data-message-id]')].map((row) => ({
        id: row.dataset.messageId ?? '',
        seq: row.dataset.seq === undefined ? null : Number(row.dataset.seq),
        state: row.dataset.state ?? '',
        text: row.querySelector('.text')?.textContent ?? '',
      })),
    );
  }

  /** Waits until the list shows exactly these texts, all of them stored. */
  async showsExactly(texts: readonly string[]): Promise<ShownMessage[]> {
    let shown: ShownMessage[] = [];
    await waitFor(
      async () => {
        shown = await this.shown();
        return (
          JSON.stringify(shown.map(({ text }) => text)) === JSON.stringify(texts) &&
          shown.every(({ seq }, index) => seq === index + 1)
        );
      },
      { timeout: 60_000, interval: 100, describe: 'the list of messages' },
    ).catch((error: unknown) => {
      expect(
        shown.map(({ text, state }) => `${text} (${state})`),
        String(error),
      ).toEqual(texts);
      throw error;
    });
    return shown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
