import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { befriend } from '../src/befriend.ts';
import { createDirect, newPeople, type Person } from '../src/person.ts';
import { type StackTarget, startStack } from '../src/stack-target.ts';
import { useTarget } from '../src/target.ts';
import { useBrowser } from './browser-fixture.ts';
import { Visitor } from './visitor.ts';

const target = useTarget(() => startStack()) as () => StackTarget;
const browser = useBrowser();

const ROUNDS = 12;

describe('the page on the distributed system', { timeout: 240_000 }, () => {
  test('two people chat while a gateway is killed under them: nothing is missing, nothing comes twice', async (context) => {
    const [ada, ben] = (await newPeople(target(), 'web', 2)) as [Person, Person];
    await befriend(ada, ben);
    const { _id } = await createDirect(ada, ben);
    const url = target().restUrl;
    // The edge has all that the page needs.
    for (const path of [
      '/',
      '/friends',
      '/profile',
      '/login',
      '/register',
      `/conversations/${_id}`,
    ]) {
      expect((await fetch(url + path)).headers.get('content-type'), path).toContain('text/html');
    }
    await using atAda = await Visitor.signedIn(browser(context), url, ada);
    await using atBen = await Visitor.signedIn(browser(context), url, ben);
    await atAda.openConversation(ben.userId);
    await atBen.openConversation(ada.userId);
    await atAda.page.locator('.pane-header').getByText('online', { exact: true }).waitFor();
    await atAda.write('before');
    await atBen.sees('before');
    await atBen.composer.pressSequentially('hm', { delay: 20 });
    await atAda.page
      .locator('.typing')
      .getByText(/is typing/)
      .waitFor();
    await atBen.composer.fill('');

    const connections = await countConnections(target());
    const [victim] = target().gateways.filter((_gateway, index) => (connections[index] ?? 0) > 0);
    expect(victim, 'a gateway with a browser on it').toBeDefined();
    for (let round = 0; round < ROUNDS; round += 1) {
      await atAda.write(`a${round}`);
      await atBen.write(`b${round}`);
      if (round === 3) {
        process.kill(victim?.pid ?? 0, 'SIGKILL');
      }
    }
    await Promise.all([atAda.isConnected(), atBen.isConnected()]);
    const texts = Array.from({ length: ROUNDS }, (_none, round) => [
      `a${round}`,
      `b${round}`,
    ]).flat();
    await waitFor(
      async () => {
        for (const visitor of [atAda, atBen]) {
          const shown = await visitor.shown();
          if (shown.length !== texts.length + 1 || shown.some(({ seq }) => seq === null)) {
            return false;
          }
        }
        return true;
      },
      { timeout: 60_000, interval: 200, describe: 'both lists to be complete' },
    );
    const [seenByAda, seenByBen] = await Promise.all([atAda.shown(), atBen.shown()]);
    expect(seenByBen.map(({ id, text }) => [id, text])).toEqual(
      seenByAda.map(({ id, text }) => [id, text]),
    );
    expect(seenByAda.map(({ text }) => text).toSorted()).toEqual(['before', ...texts].toSorted());
    expect(seenByAda.map(({ seq }) => seq)).toEqual(seenByAda.map((_message, index) => index + 1));
    for (const writer of ['a', 'b']) {
      const own = seenByAda
        .map(({ text }) => text)
        .filter((text) => new RegExp(`^${writer}\\d`).test(text));
      expect(own).toEqual(texts.filter((text) => text.startsWith(writer)));
    }
    const stored = await ada.history(_id);
    expect(stored.map(({ _id }) => _id)).toEqual(seenByAda.map(({ id }) => id));
    expect([...atAda.problems, ...atBen.problems]).toEqual([]);
  });
});

/** Sockets on each gateway. */
function countConnections({ gateways }: StackTarget): Promise<number[]> {
  return Promise.all(
    gateways.map(async ({ url }) => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^bambochat_connections(?:\{[^}]*\})? (\d+)$/m.exec(metrics)?.[1] ?? 0);
    }),
  );
}
