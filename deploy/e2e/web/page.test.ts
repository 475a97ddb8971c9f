import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { askFriendship, befriend } from '../src/befriend.ts';
import { createDirect, createGroup, newPeople, online, type Person } from '../src/person.ts';
import { startStandalone } from '../src/standalone-target.ts';
import { useTarget } from '../src/target.ts';
import { useBrowser } from './browser-fixture.ts';
import { Visitor } from './visitor.ts';

const target = useTarget(() => startStandalone());
const browser = useBrowser();
const SCRIPTS_MAX_BYTES = 150 * 1024;

describe('the page as it is served', () => {
  test('has no script or style of its own, and loads at most 150 KB of compressed scripts', async () => {
    const url = target().restUrl;
    const page = await (await fetch(url)).text();
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
    const scripts = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.js)"/g)];
    expect(scripts.length).toBeGreaterThan(0);
    let size = 0;
    let uncompressed = 0;
    for (const [, path] of scripts) {
      const answer = await bytesOf(`${url}${path}`);
      size += answer.length;
      uncompressed += isGzip(answer) ? gunzipSync(answer).length : answer.length;
    }
    process.stdout.write(`scripts that the page loads at once: ${size} bytes of gzip\n`);
    expect(size).toBeLessThanOrEqual(SCRIPTS_MAX_BYTES);
    expect(uncompressed).toBeGreaterThan(2 * size);
  });

  test('is at each of its own addresses, and nowhere else', async () => {
    const url = target().restUrl;
    const own = ['/', '/login', '/register', '/friends', '/profile', '/conversations/x'];
    for (const path of own) {
      const answer = await fetch(url + path);
      expect(answer.headers.get('content-type'), path).toContain('text/html');
    }
    for (const path of ['/api/nothing', '/nothing', '/conversations', '/messages/x']) {
      const answer = await fetch(url + path);
      expect(answer.status, path).toBe(404);
      expect(await answer.json(), path).toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe('what somebody writes', { timeout: 300_000 }, () => {
  test('stays text, whatever it looks like, and the policy is never broken', async (context) => {
    const [ada, ben] = (await newPeople(target(), 'web', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    using atBen = await online(target(), ben);
    const texts = [
      '<script>globalThis.harm = 1</script>',
      '<img src=x onerror="globalThis.harm = 1">',
      '<svg onload="globalThis.harm = 1"><a href="javascript:globalThis.harm = 1">x</a></svg>',
      'javascript:globalThis.harm=1',
      '[x](javascript:globalThis.harm=1) data:text/html,<script>globalThis.harm=1</script>',
      '{{constructor.constructor("globalThis.harm = 1")()}} &lt;b&gt; **bold** `code`',
    ];
    for (const text of texts) {
      await atBen.say(_id, text);
    }
    await atBen.say(_id, 'see https://example.org/a?b=c#d and not javascript:alert(1)');
    await ben.rest('PUT', '/api/users/profile', { json: { displayName: '<b onclick=x>Ben</b>' } });

    await using atAda = await Visitor.signedIn(browser(context), target().restUrl, ada);
    await atAda.openConversation('<b onclick=x>Ben</b>');
    await atAda.sees('see https');
    const shown = await atAda.shown();
    expect(shown.slice(0, texts.length).map(({ text }) => text)).toEqual(texts);
    const links = await atAda.log
      .locator('a')
      .evaluateAll((all) =>
        all.map((link) => [link.getAttribute('href'), link.getAttribute('rel')]),
      );
    expect(links).toEqual([['https://example.org/a?b=c#d', 'noopener noreferrer nofollow']]);
    expect(await atAda.log.locator('script, img, svg a, b').count()).toBe(0);
    expect(await atAda.page.evaluate(() => 'harm' in globalThis)).toBe(false);
    expect(atAda.problems).toEqual([]);
  });

  test('and if markup came into the page, the policy would not let it run', async (context) => {
    await using visitor = await Visitor.open(browser(context), target().restUrl);
    const broken = await visitor.page.evaluate(async () => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
        violations.push(effectiveDirective);
      });
      const script = document.createElement('script');
      script.textContent = 'globalThis.harm = 1';
      document.body.append(script);
      document.body.insertAdjacentHTML(
        'beforeend',
        '<img src="data:," onerror="globalThis.harm=1">',
      );
      document.body.insertAdjacentHTML('beforeend', '<b style="color: red">x</b>');
      const elsewhere = await fetch('https://example.org/').then(
        () => 'reached',
        () => 'refused',
      );
      while (violations.length < 4) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return { violations: violations.toSorted(), elsewhere, harm: 'harm' in globalThis };
    });
    expect(broken).toEqual({
      violations: ['connect-src', 'script-src-attr', 'script-src-elem', 'style-src-attr'],
      elsewhere: 'refused',
      harm: false,
    });
  });
});

describe.each(['light', 'dark'] as const)('axe, %s', { timeout: 300_000 }, (colorScheme) => {
  test('finds nothing serious in any view', async (context) => {
    const [ada, ben, cleo] = (await newPeople(target(), 'web', 3)) as [Person, Person, Person];
    await befriend(ada, ben);
    await askFriendship(cleo, ada);
    const direct = await createDirect(ada, ben);
    const group = await createGroup(ada, [ben, cleo], 'A group');
    using atBen = await online(target(), ben);
    for (const { _id } of [direct, group]) {
      await atBen.say(_id, `Look: https://example.org @${ada.userId}`);
      await atBen.say(_id, '🐼');
    }
    const url = target().restUrl;
    await using guest = await Visitor.open(browser(context), url, { colorScheme });
    const found: string[] = [];
    const scan = async (view: string, page: Page) => {
      found.push(...(await seriousFindings(page)).map((finding) => `${view}: ${finding}`));
    };
    await guest.page.getByRole('textbox', { name: 'Username' }).waitFor();
    await scan('log in', guest.page);
    await guest.page.goto(`${url}/register`);
    await guest.page.getByRole('textbox', { name: 'Email' }).waitFor();
    await guest.page.locator('form').getByRole('button', { name: 'Create account' }).click();
    await guest.page
      .getByText('Enter your password.')
      .or(guest.page.getByText('Use at least'))
      .first()
      .waitFor();
    await scan('create account, with problems', guest.page);

    await using visitor = await Visitor.signedIn(browser(context), url, ada, { colorScheme });
    const { page } = visitor;
    await visitor.entry('A group').waitFor();
    await scan('conversations', page);
    await visitor.openConversation('A group');
    await visitor.write('An answer');
    await visitor.sees('An answer', 'stored');
    await visitor.message('🐼').hover();
    await scan('a group', page);
    await visitor.button('Conversation details').click();
    await page.getByRole('dialog').getByText('3 members').waitFor();
    await scan('details', page);
    await page.keyboard.press('Escape');
    await visitor.button('New conversation').click();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: `@${ben.userId}` })
      .click();
    await scan('new conversation', page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: /^Friends/ }).click();
    await visitor.button(`Accept: ${cleo.userId}`).waitFor();
    await scan('friends', page);
    await page.getByRole('link', { name: 'Profile' }).click();
    await page.getByRole('textbox', { name: 'Display name' }).waitFor();
    await scan('profile', page);
    await visitor.openConversation(ben.userId);
    await visitor.context.setOffline(true);
    await visitor.isConnected('offline');
    await visitor.write('Offline');
    await visitor.sees('Offline', 'pending');
    await scan('offline', page);
    expect(found).toEqual([]);
    expect(visitor.problems).toEqual([]);
  });
});

/** What axe calls serious or critical, once nothing moves any more: colours on their way have no contrast. */
async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter((one) => one.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY)
        .map((one) => one.finished),
    ),
  );
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) =>
        nodes.map(
          ({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary}`,
        ),
      );
  });
}

function isGzip(bytes: Buffer): boolean {
  return bytes.readUInt16BE(0) === 0x1f8b;
}

/** As they are sent: fetch would uncompress them. */
function bytesOf(url: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      buffer(answer).then(resolve, reject);
    }).on('error', reject);
  });
}
