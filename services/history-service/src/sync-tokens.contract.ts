import type { ConversationId, UserId } from '@bambochat/protocol';
import { describe, expect, test } from 'vitest';
import {
  byId,
  type History,
  newUsers,
  type OpenStores,
  type Stores,
  seqs,
  serve,
  shareHistory,
} from './history-fixture.ts';
import { encodeCursors, encodeToken } from './sync-token.ts';

/** What holds of the tokens of `GET /sync`, and of the places that they name, on any engine. */
export function syncTokensContract(name: string, open: OpenStores): void {
  describe(`sync tokens: ${name}`, () => {
    let stores: Stores;
    let history: History;
    shareHistory(open, (opened) => {
      ({ stores, history } = opened);
    });

    test('tokens of others, garbage and pieces are refused by name', async () => {
      const [alice, bob] = newUsers();
      await history.say(await history.group(alice, bob), bob, 2);
      const { token } = await history.sync(alice);
      const wrong = [
        (await history.sync(bob)).token,
        token.slice(0, -1),
        token.slice(4),
        `${token}AAAA`,
        `A${token}`,
        'garbage',
        'not a token!',
        '',
        'A'.repeat(7000),
        'A'.repeat(20_000).slice(0, 9000),
      ];
      for (const since of wrong) {
        const { status, body } = await history.refusal(alice, since);
        expect([status, body.code], since.slice(0, 40)).toEqual([400, 'VALIDATION']);
        expect(body.message).toMatch(/^since: /);
      }
      for (const limit of ['0', '1001', '-1', 'x', '1.5']) {
        const { status } = await history.get(`/sync?limit=${limit}`, alice);
        expect(status, limit).toBe(400);
      }
    });

    test('more than 500 conversations are paged, and their place is kept', async () => {
      const [alice, bob] = newUsers();
      const ids: ConversationId[] = [];
      for (let count = 0; count < 520; count += 1) {
        ids.push(await history.group(alice, bob));
      }
      const [busy, left] = ids as [ConversationId, ConversationId];
      await history.say(busy, bob, 3);
      const { answers, token } = await history.syncAll(alice);
      expect(answers.length).toBeGreaterThan(1);
      const listed = answers.flatMap(({ conversations }) => conversations);
      expect(listed.map(({ conversationId }) => conversationId).sort()).toEqual(ids.toSorted());
      expect(token.length).toBeLessThan(100);
      // Nothing new: nothing is written.
      expect((await history.sync(alice, token)).token).toBe(token);

      const sent = await history.say(busy, bob, 2);
      await history.remove(left, alice);
      const lost = await history.sync(alice, token);
      await history.say(busy, bob, 1);
      // The client did not get that answer and asks again.
      const repeated = await history.sync(alice, token);
      expect(repeated.left).toEqual([left]);
      expect(seqs(byId(repeated, busy)?.messages ?? [])).toEqual([4, 5, 6]);
      expect(byId(lost, busy)?.messages).toEqual(sent);
      expect((await history.sync(alice, repeated.token)).conversations).toEqual([]);
      // Two answers had one number; only what was kept is good, and nobody skips a message.
      expect((await history.refusal(alice, lost.token)).status).toBe(400);
      const [last] = await history.say(busy, bob, 1);
      const next = await history.sync(alice, repeated.token);
      expect(byId(next, busy)?.messages).toEqual([last]);
      // The one before the last is still there, the one before that is not.
      expect((await history.sync(alice, repeated.token)).conversations).toHaveLength(1);
      expect((await history.refusal(alice, token)).status).toBe(400);
      const foreign = await history.refusal(bob, next.token);
      expect([foreign.status, foreign.body.code]).toEqual([400, 'VALIDATION']);
    }, 60_000);

    test('a place that has ended is refused, and one can begin anew', async () => {
      const [alice] = newUsers();
      const ids: ConversationId[] = [];
      for (let count = 0; count < 260; count += 1) {
        ids.push(await history.group(alice));
      }
      const served = await serve(stores, {
        ...stores,
        syncStore: {
          ...stores.syncStore,
          savePlace: (place) =>
            stores.syncStore.savePlace({ ...place, expiresAt: '2020-01-01T00:00:00.000Z' }),
        },
      });
      const first = await served.sync(alice);
      const second = await served.sync(alice, first.token);
      await served.close();
      expect(second.hasMore).toBe(false);
      expect((await history.refusal(alice, second.token)).body.code).toBe('VALIDATION');
      expect(
        (await history.syncAll(alice)).answers.flatMap((each) => each.conversations),
      ).toHaveLength(260);
    }, 60_000);

    test('a made up token shows nothing of others’ conversations', async () => {
      const [alice, bob, mallory] = newUsers();
      const id = await history.group(alice, bob);
      await history.say(id, bob, 3);
      const cursors = new Map([[id, { seq: 0, revision: 0 }]]);
      const token = encodeToken(mallory as UserId, encodeCursors(cursors));
      const answer = await history.sync(mallory, token);
      expect(answer).toMatchObject({ conversations: [], left: [id], hasMore: false });
    });
  });
}
