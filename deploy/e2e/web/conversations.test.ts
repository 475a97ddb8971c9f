import { describe, expect, test } from 'vitest';
import { befriend } from '../src/befriend.ts';
import { createDirect, createGroup, newPeople, type Person } from '../src/person.ts';
import { startStandalone } from '../src/standalone-target.ts';
import { useTarget } from '../src/target.ts';
import { useBrowser } from './browser-fixture.ts';
import { Visitor } from './visitor.ts';

const target = useTarget(() => startStandalone());
const browser = useBrowser();

async function company(count = 2) {
  return (await newPeople(target(), 'web', count)) as [Person, Person, ...Person[]];
}

describe('two people at two browsers', { timeout: 300_000 }, () => {
  test('chat, and see who is there, who types, what was stored and what was read', async (context) => {
    const [ada, ben] = await company();
    await befriend(ada, ben);
    await createDirect(ada, ben);
    const url = target().restUrl;
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await atAda.openConversation(ben.userId);
    await atAda.write('Are you there?');
    await atAda.sees('Are you there?', 'stored');

    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atAda.page.locator('.pane-header').getByText('online', { exact: true }).waitFor();
    await atBen.entry(ada.userId).getByText('1 unread message').waitFor({ state: 'attached' });
    expect(await atBen.page.title()).toMatch(/^\(1\) /);
    await atBen.openConversation(ada.userId);
    await atBen.sees('Are you there?');
    await atAda.sees('Are you there?', 'read');

    await atBen.composer.pressSequentially('Yes', { delay: 20 });
    await atAda.page
      .locator('.typing')
      .getByText(/is typing/)
      .waitFor();
    await atBen.composer.press('Enter');
    await atAda.sees('Yes');
    await atAda.page
      .locator('.typing')
      .getByText(/is typing/)
      .waitFor({ state: 'detached' });
    await atBen.sees('Yes', 'read');

    await atAda.message('Yes').hover();
    await atAda.button('React with love').click();
    await atBen
      .message('Yes')
      .getByRole('button', { name: /^1 love: / })
      .waitFor();

    await atBen.page.close();
    await atAda.page
      .locator('.pane-header')
      .getByText(/last seen|^offline$/)
      .waitFor();
    expect(atAda.problems).toEqual([]);
    expect(atBen.problems).toEqual([]);
  });

  test('one writes offline, reloads and comes back: both see one list', async (context) => {
    const [ada, ben] = await company();
    await createDirect(ada, ben);
    const url = target().restUrl;
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atAda.openConversation(ben.userId);
    await atBen.openConversation(ada.userId);
    await atAda.write('one');
    await atBen.sees('one');
    await atBen.write('two');
    await atAda.sees('two');
    // The page keeps itself in the browser once it has been loaded.
    await atAda.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));

    await atAda.context.setOffline(true);
    await atAda.isConnected('offline');
    await atAda.write('three, written offline');
    await atAda.sees('three, written offline', 'pending');
    await atBen.write('four, meanwhile');
    await atBen.sees('four, meanwhile', 'stored');

    await atAda.page.reload();
    await atAda.sees('three, written offline', 'pending');
    await atAda.write('five, after the reload');
    await atAda.sees('five, after the reload', 'pending');

    await atAda.context.setOffline(false);
    const texts = [
      'one',
      'two',
      'four, meanwhile',
      'three, written offline',
      'five, after the reload',
    ];
    const seenByAda = await atAda.showsExactly(texts);
    const seenByBen = await atBen.showsExactly(texts);
    expect(seenByBen.map(({ id, seq }) => [id, seq])).toEqual(
      seenByAda.map(({ id, seq }) => [id, seq]),
    );
    expect(atAda.problems).toEqual([]);
    expect(atBen.problems).toEqual([]);
  });
});

describe('a group', { timeout: 300_000 }, () => {
  test('is made, gets a member, loses one and is left', async (context) => {
    const [ada, ben, cleo] = (await company(3)) as [Person, Person, Person];
    const url = target().restUrl;
    await createDirect(ada, ben);
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await using atCleo = await Visitor.signedIn(browser(context), url, cleo);

    await atAda.button('New conversation').click();
    const creation = atAda.page.getByRole('dialog', { name: 'New conversation' });
    const find = creation.getByRole('searchbox', { name: 'People' });
    for (const { userId } of [ben, cleo]) {
      await find.fill(userId);
      await creation.getByRole('button', { name: `@${userId}` }).click();
    }
    await creation.getByRole('textbox', { name: 'Group name' }).fill('Trail');
    await creation.getByRole('button', { name: 'Create group' }).click();
    await atAda.write('welcome');
    await atBen.openConversation('Trail');
    await atBen.sees('welcome');
    await atCleo.openConversation('Trail');
    await atCleo.write('hello all');
    await atAda.sees('hello all');

    await atAda.button('Conversation details').click();
    const details = atAda.page.getByRole('dialog', { name: 'Trail' });
    await details.getByRole('button', { name: `Remove ${cleo.userId} from the group` }).click();
    await atCleo.entry('Trail').waitFor({ state: 'detached' });
    await details.getByText('2 members').waitFor();
    await details.getByRole('button', { name: 'Add people' }).click();
    await details.getByRole('searchbox', { name: 'People' }).fill(cleo.userId);
    await details.getByRole('button', { name: `@${cleo.userId}` }).click();
    await details.getByRole('button', { name: 'Add', exact: true }).click();
    await details.getByText('3 members').waitFor();
    await atCleo.openConversation('Trail');
    await atCleo.sees('welcome');
    await details.getByRole('button', { name: 'Close' }).click();

    await atBen.button('Conversation details').click();
    const own = atBen.page.getByRole('dialog', { name: 'Trail' });
    await own.getByRole('button', { name: 'Leave group' }).click();
    await own.getByRole('button', { name: 'Leave group' }).click();
    await atBen.entry('Trail').waitFor({ state: 'detached' });
    await atAda.write('two of us are left');
    await atCleo.sees('two of us are left');
    expect(await atBen.page.getByText('two of us are left').count()).toBe(0);
    for (const { problems } of [atAda, atBen, atCleo]) {
      expect(problems).toEqual([]);
    }
  });

  test('shows in the title who wants an answer', async (context) => {
    const [ada, ben, cleo] = (await company(3)) as [Person, Person, Person];
    await createGroup(ada, [ben, cleo], 'Answers');
    const url = target().restUrl;
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atAda.openConversation('Answers');
    await atAda.write(`@${ben.userId} what do you think?`);
    await atBen.entry('Answers').getByText('You were mentioned').waitFor({ state: 'attached' });
    expect(await atBen.page.title()).toContain('1');
  });
});
