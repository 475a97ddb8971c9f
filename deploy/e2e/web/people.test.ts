import { describe, expect, test } from 'vitest';
import { befriend } from '../src/befriend.ts';
import { createDirect, newPeople, type Person, randomName } from '../src/person.ts';
import { startStandalone } from '../src/standalone-target.ts';
import { useTarget } from '../src/target.ts';
import { useBrowser } from './browser-fixture.ts';
import { Visitor } from './visitor.ts';

const target = useTarget(() => startStandalone());
const browser = useBrowser();

async function two() {
  return (await newPeople(target(), 'web', 2)) as [Person, Person];
}

describe('an account', { timeout: 300_000 }, () => {
  test('is opened, lives over a reload and is left; what is wrong is said where it is', async (context) => {
    const [ada] = await two();
    const userId = `new-${randomName()}`;
    await using visitor = await Visitor.open(browser(context), target().restUrl);
    const { page } = visitor;
    const username = page.getByRole('textbox', { name: 'Username' });
    const password = page.getByRole('textbox', { name: 'Password' });
    const form = page.locator('form');

    await visitor.logIn(ada.userId, 'certainly not');
    await form.getByRole('alert').getByText('Wrong username or password.').waitFor();
    await visitor.logIn('', '');
    await page.getByText('Enter your username.').waitFor();
    await page.locator('.sign-in-other').getByRole('button', { name: 'Create account' }).click();
    expect(new URL(page.url()).pathname).toBe('/register');
    const create = form.getByRole('button', { name: 'Create account' });
    await username.fill('with spaces');
    await page.getByRole('textbox', { name: 'Email' }).fill('nothing');
    await password.fill('short');
    await create.click();
    await page.getByText('Use at least 8 characters.').waitFor();
    expect(await username.getAttribute('aria-invalid')).toBe('true');
    expect(await username.evaluate((field) => field === document.activeElement)).toBe(true);

    await username.fill(ada.userId);
    await page.getByRole('textbox', { name: 'Email' }).fill(`${userId}@mail.example`);
    await password.fill('correct horse battery');
    await create.click();
    await page.getByText('This username or email is already taken.').waitFor();
    await username.fill(userId);
    await create.click();
    await visitor.isConnected();
    await page.getByText('No conversations yet').waitFor();

    await page.reload();
    await visitor.isConnected();
    await visitor.button('Log out').click();
    await form.getByRole('button', { name: 'Log in' }).waitFor();
    await page.reload();
    await form.getByRole('button', { name: 'Log in' }).waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toMatch(/eyJ/);
    expect(visitor.problems).toEqual([]);
  });

  test('has a name and a few words that others see', async (context) => {
    const [ada, ben] = await two();
    await createDirect(ada, ben);
    await using atAda = await Visitor.signedIn(browser(context), target().restUrl, ada);
    await atAda.page.getByRole('link', { name: 'Profile' }).click();
    await atAda.page.getByRole('textbox', { name: 'Display name' }).fill('Ada Ω 👩🏽‍🚀');
    await atAda.page.getByRole('textbox', { name: 'About you' }).fill('Maps.');
    await atAda.button('Save').click();
    await atAda.page.getByText('Saved').waitFor();
    await using atBen = await Visitor.signedIn(browser(context), target().restUrl, ben);
    await atBen.entry('Ada Ω 👩🏽‍🚀').waitFor();
    expect(atAda.problems).toEqual([]);
  });
});

describe('friends', { timeout: 300_000 }, () => {
  test('are found, asked, told at once, accepted, removed and blocked', async (context) => {
    const [ada, ben] = await two();
    const url = target().restUrl;
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atAda.page.getByRole('link', { name: 'Friends' }).click();
    await atAda.page.getByRole('searchbox', { name: 'Find people' }).fill(ben.userId.slice(0, -1));
    await atAda.button(`Add friend: ${ben.userId}`).click();
    await atAda.page.getByText('Request sent').waitFor();

    // Ben looks at something else, and is told.
    await atBen.page.getByText(`${ada.userId} wants to be friends.`).waitFor();
    await atBen.page.getByRole('link', { name: /^Friends/ }).click();
    await atBen.button(`Accept: ${ada.userId}`).click();
    await atAda.page.getByText(`${ben.userId} accepted your friend request.`).waitFor();
    await atAda.page.getByRole('searchbox', { name: 'Find people' }).fill('');
    const friend = atAda.page.getByRole('list', { name: 'All friends' }).getByRole('listitem');
    await friend.getByText('online', { exact: true }).waitFor();
    await atBen.button(`Message: ${ada.userId}`).click();
    await atBen.write('Friends now');
    await atAda.entry(ben.userId).waitFor();

    await atAda.button(`More about ${ben.userId}`).click();
    await atAda.page.getByRole('menuitem', { name: 'Remove friend' }).click();
    await atAda.page.getByRole('dialog').getByRole('button', { name: 'Remove friend' }).click();
    await atAda.page.getByText('No friends yet').waitFor();

    await atAda.page.getByRole('searchbox', { name: 'Find people' }).fill(ben.userId);
    await atAda.button(`More about ${ben.userId}`).click();
    await atAda.page.getByRole('menuitem', { name: 'Block' }).click();
    await atAda.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
    const blocked = atAda.page.getByRole('list', { name: 'Blocked' });
    await blocked.getByText(ben.userId, { exact: true }).waitFor();
    await blocked.getByRole('button', { name: `Unblock: ${ben.userId}` }).click();
    await blocked.waitFor({ state: 'detached' });
    expect(atAda.problems).toEqual([]);
    expect(atBen.problems).toEqual([]);
  });
});

describe('without a pointer', { timeout: 300_000 }, () => {
  test('one logs in, finds a conversation, reacts, writes, and starts another one', async (context) => {
    const [ada, ben] = await two();
    await befriend(ada, ben);
    await createDirect(ada, ben);
    const url = target().restUrl;
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atBen.openConversation(ada.userId);
    await atBen.write('Who needs a mouse?');

    await using atAda = await Visitor.open(browser(context), url);
    const { page } = atAda;
    const { keyboard } = page;
    const focused = (name: string) =>
      page.waitForFunction((wanted) => {
        const { activeElement } = document;
        const labelled = activeElement as HTMLInputElement | null;
        const own = labelled?.labels?.[0]?.textContent ?? labelled?.textContent ?? '';
        return (activeElement?.getAttribute('aria-label') ?? own).trim() === wanted;
      }, name);
    await tabUntil('Username');
    await keyboard.type(ada.userId);
    await tabUntil('Password');
    await keyboard.type(ada.password);
    await keyboard.press('Enter');
    await atAda.isConnected();

    await keyboard.press('Control+k');
    await focused('Search conversations');
    await keyboard.type(ben.userId);
    await atAda.entry(ben.userId).waitFor();
    await keyboard.press('ArrowDown');
    await keyboard.press('Enter');
    await focused('Message');
    await keyboard.press('Shift+Tab');
    await focusIsIn('log');
    await keyboard.press('ArrowUp');
    await tabUntil('React with haha');
    await keyboard.press('Enter');
    await atBen
      .message('Who needs a mouse?')
      .getByRole('button', { name: /^1 haha: / })
      .waitFor();
    await keyboard.press('Escape');
    await focused('Message');
    await keyboard.type('Nobody.');
    await keyboard.press('Shift+Enter');
    await keyboard.type('At all.');
    await keyboard.press('Enter');
    await atBen.sees('Nobody.\nAt all.');

    await tabUntil('New conversation', 'Shift+Tab');
    await keyboard.press('Enter');
    await focusIsIn('dialog');
    await keyboard.press('Escape');
    await focused('New conversation');
    expect(atAda.problems).toEqual([]);

    /** Goes on until the focus is there; a page has only so many places. */
    async function tabUntil(name: string, key = 'Tab'): Promise<void> {
      for (let presses = 0; presses < 40; presses += 1) {
        const reached = await focusName();
        if (reached === name) {
          return;
        }
        await keyboard.press(key);
      }
      throw new Error(`${key} does not lead to ${name}`);
    }

    function focusName(): Promise<string> {
      return page.evaluate(() => {
        const active = document.activeElement as HTMLInputElement | null;
        const own = active?.labels?.[0]?.textContent ?? active?.textContent ?? '';
        return (active?.getAttribute('aria-label') ?? own).trim();
      });
    }

    async function focusIsIn(role: string): Promise<void> {
      await page.waitForFunction(
        (wanted) => document.activeElement?.closest(`[role="${wanted}"], ${wanted}`) !== null,
        role,
      );
    }
  });
});
