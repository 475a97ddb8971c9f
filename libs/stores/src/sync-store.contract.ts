import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConversationId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newConversationId, newMessageId, newUserId, userId } from './sample-records.fixture.ts';
import { CHANGES_KEPT, type Change, PLACES_PER_USER_MAX, type SyncStore } from './sync-store.ts';

export interface SyncStoreHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  readonly stores: readonly [SyncStore, SyncStore];
  close(): Promise<void>;
}

const read = (name: string): Change => ({ kind: 'read', userId: userId(name) });
const member = (name: string): Change => ({ kind: 'member', userId: userId(name) });
const reaction = (seq: number): Change => ({ kind: 'reaction', messageId: newMessageId(), seq });

/** What every sync store must do. Tests share the data and use new ids each. */
export function syncStoreContract(name: string, open: () => Promise<SyncStoreHarness>): void {
  describe(`sync store: ${name}`, () => {
    let harness: SyncStoreHarness;
    let store: SyncStore;
    let other: SyncStore;

    beforeAll(async () => {
      harness = await open();
      [store, other] = harness.stores;
    });
    afterAll(() => harness?.close());

    const revisionOf = async (id: ConversationId) => (await store.revisions([id])).get(id) ?? 0;

    describe('journal', () => {
      test('counts changes and gives those after a revision, oldest first', async () => {
        const id = newConversationId();
        const [like, mark, joined] = [reaction(3), read('ann'), member('bob')];
        await store.appendChanges(id, [like]);
        await other.appendChanges(id, [mark, joined]);
        expect(await revisionOf(id)).toBe(3);
        const complete = true;
        expect(await other.changesSince(id, 0)).toStrictEqual({
          revision: 3,
          changes: [like, mark, joined],
          complete,
        });
        expect(await store.changesSince(id, 2)).toStrictEqual({
          revision: 3,
          changes: [joined],
          complete,
        });
        for (const revision of [3, 99]) {
          expect(await store.changesSince(id, revision)).toStrictEqual({
            revision: 3,
            changes: [],
            complete,
          });
        }
      });

      test('keeps of one thing the newest change only, and tells things apart', async () => {
        const id = newConversationId();
        const like = reaction(1);
        await store.appendChanges(id, [like, read('ann'), member('ann'), read('ann')]);
        await store.appendChanges(id, [read('bob'), like]);
        const { changes, revision } = await store.changesSince(id, 0);
        expect(changes).toEqual([member('ann'), read('ann'), read('bob'), like]);
        expect(await revisionOf(id)).toBe(revision);
        // Nothing that was replaced counts as forgotten.
        expect((await store.changesSince(id, 1)).complete).toBe(true);
      });

      test('of a conversation in which nothing changed is empty', async () => {
        const [id, silent] = [newConversationId(), newConversationId()];
        await store.appendChanges(id, []);
        await store.appendChanges(silent, [read('ann')]);
        expect(await store.revisions([id, silent])).toEqual(new Map([[silent, 1]]));
        expect(await store.changesSince(id, 0)).toEqual({
          revision: 0,
          changes: [],
          complete: true,
        });
        expect(await store.revisions([])).toEqual(new Map());
      });

      test('tells when something was appended last', async () => {
        const [id, silent] = [newConversationId(), newConversationId()];
        const timeOf = async () => (await other.changedAt([id, silent])).get(id) ?? '';
        const before = new Date().toISOString();
        await store.appendChanges(id, [read('ann')]);
        const first = await timeOf();
        expect(new Date(first).toISOString()).toBe(first);
        expect(first >= before).toBe(true);
        await waitFor(() => new Date().toISOString() > first, { interval: 1 });
        await store.appendChanges(id, [read('ann')]);
        expect((await timeOf()) > first).toBe(true);
        expect((await store.changedAt([id, silent])).has(silent)).toBe(false);
      });

      test('answers for 600 conversations', async () => {
        const ids = Array.from({ length: 600 }, () => newConversationId());
        const some = ids.filter((_, index) => index % 60 === 0);
        for (const id of some) {
          await store.appendChanges(id, [read('ann')]);
        }
        expect(await store.revisions(ids)).toEqual(new Map(some.map((id) => [id, 1])));
        expect([...(await store.changedAt(ids)).keys()].toSorted()).toEqual(some.toSorted());
      });

      test('keeps the newest changes, and tells who has missed more', async () => {
        const id = newConversationId();
        const all = Array.from({ length: CHANGES_KEPT + 20 }, (_, index) => reaction(index + 1));
        await store.appendChanges(id, all.slice(0, CHANGES_KEPT));
        expect((await store.changesSince(id, 0)).complete).toBe(true);
        await store.appendChanges(id, all.slice(CHANGES_KEPT));
        const kept = await store.changesSince(id, 0);
        expect(kept).toEqual({ revision: all.length, changes: all.slice(20), complete: false });
        expect((await store.changesSince(id, 19)).complete).toBe(false);
        expect(await store.changesSince(id, 20)).toEqual({ ...kept, complete: true });
        // More at once than are kept.
        await store.appendChanges(id, all);
        const again = await store.changesSince(id, 0);
        expect(again.changes).toEqual(all.slice(20));
        expect(again).toMatchObject({ revision: 2 * all.length, complete: false });
        expect((await store.changesSince(id, all.length + 20)).complete).toBe(true);
      });

      test('loses none that are appended at once, and a reader passes none', async () => {
        const id = newConversationId();
        const names = Array.from({ length: 16 }, (_, index) => `user-${index}`);
        const seen: Change[] = [];
        let at = 0;
        let writing = true;
        const reader = (async () => {
          while (writing) {
            const next = await other.changesSince(id, at);
            seen.push(...next.changes);
            at = next.revision;
            // SQLite answers without yielding: let the writers have their turn.
            await nextTurn();
          }
        })();
        await Promise.all(
          names.map((each, index) =>
            (index % 2 ? store : other).appendChanges(id, [read(each), member(each)]),
          ),
        );
        writing = false;
        await reader;
        seen.push(...(await store.changesSince(id, at)).changes);
        const keys = (list: readonly Change[]) => list.map((each) => JSON.stringify(each)).sort();
        expect(keys(seen)).toEqual(keys(names.flatMap((each) => [read(each), member(each)])));
        expect(await revisionOf(id)).toBe(32);
      });
    });

    describe('places', () => {
      const soon = (milliseconds = 60_000) => new Date(Date.now() + milliseconds).toISOString();
      const sample = (change: object = {}) => ({
        id: newMessageId() as string,
        userId: newUserId(),
        number: 1,
        bytes: Uint8Array.from([0, 1, 255, 128]),
        expiresAt: soon(),
        ...change,
      });

      test('are kept exactly, and are their user’s alone', async () => {
        const bytes = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 31) % 256);
        const place = sample({ bytes });
        await store.savePlace(place);
        expect(await other.place(place.id, place.userId, 1)).toEqual(place);
        expect(await store.place(place.id, newUserId(), 1)).toBeNull();
        expect(await store.place(newMessageId(), place.userId, 1)).toBeNull();
        const stolen = sample({ id: place.id, bytes: Uint8Array.of(6) });
        await store.savePlace(stolen);
        await store.savePlace({ ...stolen, number: 2 });
        expect(await store.place(place.id, place.userId, 1)).toEqual(place);
        expect(await store.place(place.id, place.userId, 2)).toBeNull();
        expect(await store.place(place.id, stolen.userId, 2)).toBeNull();
      });

      test('are two for an id: the newest and the one before it', async () => {
        const first = sample();
        await store.savePlace(first);
        const second = { ...first, number: 2, bytes: Uint8Array.of(2), expiresAt: soon(70_000) };
        await store.savePlace(second);
        const { id, userId: user } = first;
        expect((await store.place(id, user, 1))?.bytes).toEqual(first.bytes);
        // The answer was lost and the client asked again: other news, the same number.
        const again = { ...second, bytes: Uint8Array.of(2, 2) };
        await other.savePlace(again);
        expect(await store.place(id, user, 2)).toEqual(again);
        await store.savePlace({ ...first, number: 3, bytes: Uint8Array.of(3) });
        expect(await store.place(id, user, 1)).toBeNull();
        expect((await store.place(id, user, 2))?.bytes).toEqual(again.bytes);
        expect((await store.place(id, user, 3))?.bytes).toEqual(Uint8Array.of(3));
        expect(await store.place(id, user, 4)).toBeNull();
      });

      test('end in time', async () => {
        const place = sample({ expiresAt: soon(-1000) });
        await store.savePlace(place);
        expect(await store.place(place.id, place.userId, 1)).toBeNull();
      });

      test('are bounded for each user: those that end first go first', async () => {
        const user = newUserId();
        const bystander = sample({ expiresAt: soon(1000 * 60) });
        await store.savePlace(bystander);
        const places = Array.from({ length: PLACES_PER_USER_MAX + 3 }, (_, index) =>
          sample({ userId: user, expiresAt: soon(600_000 + index * 1000) }),
        );
        for (const place of places) {
          await store.savePlace(place);
        }
        const found = await Promise.all(places.map(({ id }) => store.place(id, user, 1)));
        expect(found.map((place) => place !== null)).toEqual(places.map((_, index) => index >= 3));
        expect(await store.place(bystander.id, bystander.userId, 1)).toEqual(bystander);
      });
    });

    test('check resolves while the engine answers', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
