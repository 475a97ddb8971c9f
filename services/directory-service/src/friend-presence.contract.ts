import type { UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import { type Engines, startDirectory } from './directory-fixture.ts';
import { friendActions, nothing, startFriends } from './friend-fixture.ts';

const LONG_AGO = 1_700_000_000_000;

/** Who sees whom online when friendships begin and end, over whichever engines. */
export function friendPresenceContract(engines: () => Engines): void {
  const started = (overrides: Parameters<typeof startFriends>[1] = {}) =>
    startFriends(engines(), overrides);

  describe('presence of friends', () => {
    it('is revealed to each when they become friends, however that comes', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const seen = {
        ann: await it.putStatus(ann),
        ben: await it.putStatus(ben, { lastSeenAt: '2025-01-01T00:00:00.000Z' }),
      };
      const revealed = [
        { ...seen.ann, kind: 'reveal', to: [ben] },
        { ...seen.ben, kind: 'reveal', to: [ann] },
      ];
      await it.befriend(ann, ben);
      expect((await it.heardBy(ann, ben, cem)).statusChanges).toEqual(revealed);
      await it.end(ann, ben);
      await it.heardBy();
      await it.ask(ann, ben);
      expect((await it.heardBy(ann, ben, cem)).statusChanges).toEqual([]);
      await it.ask(ben, ann);
      expect((await it.heardBy(ann, ben, cem)).statusChanges).toEqual(revealed);
    });

    it('is revealed of who is online only', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      const online = await it.putStatus(ann);
      await it.putStatus(ben, { online: false });
      await it.befriend(ann, ben);
      await it.befriend(cem, ann);
      await it.befriend(ben, cem);
      expect((await it.heardBy(ann, ben, cem)).statusChanges).toEqual([
        { ...online, kind: 'reveal', to: [ben] },
        { ...online, kind: 'reveal', to: [cem] },
      ]);
    });

    it('is hidden from each when a friendship ends', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      await it.befriend(ann, ben);
      const seen = { ann: await it.putStatus(ann), ben: await it.putStatus(ben) };
      await it.heardBy();
      const hide = { kind: 'hide', online: false, lastSeenAt: expect.any(String) };
      const before = Date.now();
      await it.end(ben, ann);
      const { statusChanges, friendEvents } = await it.heardBy(ann, ben, cem);
      expect(friendEvents).toEqual([]);
      expect(statusChanges).toHaveLength(2);
      expect(statusChanges).toEqual(
        expect.arrayContaining([
          { ...hide, userId: ann, changedAt: seen.ann.changedAt, to: [ben] },
          { ...hide, userId: ben, changedAt: seen.ben.changedAt, to: [ann] },
        ]),
      );
      for (const { lastSeenAt } of statusChanges) {
        expect(Date.parse(lastSeenAt)).toBeGreaterThanOrEqual(before);
        expect(Date.parse(lastSeenAt)).toBeLessThanOrEqual(Date.now());
      }
    });

    it('is hidden also of who has just gone, but not of who is long gone or was never here', async () => {
      await using it = await started();
      const { ann, ben, cem, dee } = it;
      await it.befriend(ann, ben);
      await it.befriend(ann, cem);
      await it.befriend(ann, dee);
      const gone = await it.putStatus(ben, { online: false });
      await it.putStatus(cem, { online: false, changedAt: LONG_AGO });
      await it.heardBy();
      await it.end(ann, ben);
      await it.end(ann, cem);
      await it.end(ann, dee);
      expect(await it.heardBy(ann, ben, cem, dee)).toEqual({
        friendEvents: [],
        statusChanges: [{ ...gone, kind: 'hide', to: [ann] }],
      });
    });

    it('is never told to strangers and those who only asked', async () => {
      await using it = await started();
      const { ann, ben, cem } = it;
      for (const userId of [ann, ben, cem]) {
        await it.putStatus(userId);
      }
      const { _id } = it.friendshipOf(await it.ask(ann, ben));
      await it.answer(ben, _id, 'reject');
      await it.ask(ann, ben);
      await it.end(ann, ben);
      await it.end(ann, cem);
      await it.block(cem, ann);
      await it.block(cem, ann);
      await it.unblock(cem, ann);
      expect((await it.heardBy(ann, ben, cem)).statusChanges).toEqual([]);
    });

    it('is listed with the time they were last here', async () => {
      await using it = await started();
      const { ann, ben, cem, dee } = it;
      await it.befriend(ann, ben);
      await it.befriend(cem, ann);
      await it.befriend(dee, ann);
      await it.putStatus(ann);
      const times = ['2024-01-01T00:00:00.001Z', '2025-01-01T00:00:00.002Z'] as const;
      await it.putStatus(ben, { lastSeenAt: times[0] });
      await it.putStatus(dee, { lastSeenAt: times[1], online: false });
      const listed = [
        { userId: ben, online: true, lastSeenAt: times[0] },
        { userId: dee, online: false, lastSeenAt: times[1] },
      ];
      expect(await it.list(ann, '/presence')).toEqual(
        listed.toSorted((one, other) => (one.userId < other.userId ? -1 : 1)),
      );
      expect(await it.list(ben, '/presence')).toHaveLength(1);
      await it.end(ann, ben);
      expect(await it.list(ben, '/presence')).toEqual([]);
    });

    it('is read after the change: one that is recorded meanwhile is not lost', async () => {
      const store = engines().friendStore;
      const during: (() => Promise<unknown>)[] = [];
      const friendStore = {
        ...store,
        async answer(...request: Parameters<typeof store.answer>) {
          const answered = await store.answer(...request);
          // The presence-service: stored, and the friends it asks for are not these yet.
          await during.shift()?.();
          return answered;
        },
      };
      await using it = await started({ friendStore });
      const { ann, ben } = it;
      during.push(() => it.putStatus(ann));
      await it.befriend(ann, ben);
      expect((await it.heardBy(ann, ben)).statusChanges).toMatchObject([
        { userId: ann, kind: 'reveal', online: true, to: [ben] },
      ]);
    });
  });

  describe('what friends are told', () => {
    it('is corrected when the store has moved on meanwhile', async () => {
      const store = engines().friendStore;
      const during: (() => Promise<unknown>)[] = [];
      const friendStore = {
        ...store,
        async answer(...request: Parameters<typeof store.answer>) {
          const answered = await store.answer(...request);
          // Another replica ends it and says so before this one has spoken.
          await during.shift()?.();
          return answered;
        },
      };
      await using it = await started({ friendStore });
      const { ann, ben } = it;
      await it.putStatus(ann);
      during.push(() => store.remove(ann, ben));
      await it.befriend(ann, ben);
      const kinds = (await it.heardBy(ann, ben)).statusChanges.map(({ kind }) => kind);
      expect(kinds).toEqual(['reveal', 'hide']);
    });

    it('ends as the store has it, whatever two replicas do at once', async () => {
      await using it = await started();
      await using second = await startDirectory(engines());
      const other = friendActions(second);
      const { ann, ben } = it;
      await it.putStatus(ann);
      // Every pair of steps races; afterwards the last word about ann must be right.
      for (let round = 0; round < 10; round += 1) {
        it.fixture.statusChanges.length = 0;
        await Promise.all([it.ask(ann, ben), other.ask(ben, ann)]);
        await Promise.all([it.end(ann, ben), other.end(ben, ann), other.ask(ann, ben)]);
        await Promise.all([it.ask(ben, ann), other.end(ann, ben)]);
        const friends = (await it.friends(ann)).includes(ben);
        await it.fixture.allHeard();
        await waitFor(
          () => {
            const last = it.fixture.statusChanges.findLast(({ to }) => to.includes(ben));
            return last !== undefined && (last.kind === 'reveal') === friends;
          },
          { describe: 'the last word' },
        );
        await it.end(ann, ben);
        await it.end(ben, ann);
      }
    });

    it('holds up no answer for ever', async () => {
      const bus = engines().bus();
      let stuck = false;
      const never = new Promise<boolean>(() => {});
      const hanging = Object.assign(Object.create(bus), {
        flush: () => (stuck ? never : bus.flush()),
      }) as typeof bus;
      const it = await started({ bus: hanging });
      stuck = true;
      expect((await it.ask(it.ann, it.ben)).status).toBe(201);
      expect((await it.ask(it.ben, it.ann)).status).toBe(201);
      expect((await it.end(it.ben, it.ann)).status).toBe(200);
      stuck = false;
      await it[Symbol.asyncDispose]();
    });

    it('fails no change', async () => {
      const statusStore = {
        ...engines().statusStore,
        statusesOf: () => Promise.reject(new Error('away')),
      };
      await using it = await started({ statusStore });
      const { ann, ben } = it;
      await it.befriend(ann, ben);
      const { friendEvents } = await it.heardBy(ann);
      expect(friendEvents.map(({ event }) => event)).toEqual(['friend_request_update']);
      expect(await it.friends(ann)).toEqual([ben]);
      expect((await it.block(ann, ben)).status).toBe(200);
      expect(await it.friends(ann)).toEqual([] satisfies UserId[]);
      expect(await it.heardBy(ann, ben)).toEqual(nothing);
    });
  });
}
