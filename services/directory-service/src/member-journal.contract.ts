import { AppError, type ConversationId } from '@bambochat/protocol';
import { describe, expect, it } from 'vitest';
import { startConversations } from './conversation-fixture.ts';
import type { Engines } from './directory-fixture.ts';

/** What members who were away can learn of changes of membership, over whichever engines. */
export function memberJournalContract(engines: () => Engines): void {
  describe('the journal', () => {
    const changesOf = async (id: string) =>
      (await engines().syncStore.changesSince(id as ConversationId, 0)).changes;

    it('names who came, who left and who became an admin, in this order', async () => {
      await using it = await startConversations(engines());
      const { fixture, alice, bob, carol } = it;
      const group = await fixture.openGroup(alice, bob);
      expect(await changesOf(group._id)).toEqual([]);
      await it.add(alice, group._id, carol);
      expect(await changesOf(group._id)).toEqual([{ kind: 'member', userId: carol }]);
      await it.remove(alice, group._id, alice);
      expect(await changesOf(group._id)).toEqual([
        { kind: 'member', userId: carol },
        { kind: 'member', userId: alice },
        { kind: 'member', userId: bob },
      ]);
    });

    it('names both of a direct conversation when it begins, and nobody when it is opened again', async () => {
      await using it = await startConversations(engines());
      const { conversation } = await it.fixture.openDirect(it.alice, it.bob);
      const both = [it.alice, it.bob].map((userId) => ({ kind: 'member', userId }));
      expect(await changesOf(conversation._id)).toEqual(both);
      await it.fixture.openDirect(it.bob, it.alice);
      const again = await engines().syncStore.changesSince(conversation._id, 0);
      expect(again).toMatchObject({ revision: 2, changes: both });
    });

    it('is completed by repeating when it could not be written', async () => {
      const { syncStore } = engines();
      let isAway = false;
      await using it = await startConversations(engines(), {
        syncStore: {
          ...syncStore,
          async appendChanges(...change) {
            if (isAway) {
              throw new AppError('UNAVAILABLE', 'the store is away');
            }
            return syncStore.appendChanges(...change);
          },
        },
      });
      const { fixture, alice, bob, carol } = it;
      const group = await fixture.openGroup(alice, bob);
      isAway = true;
      expect((await it.add(alice, group._id, carol)).status).toBe(503);
      expect((await it.remove(alice, group._id, bob)).status).toBe(503);
      // The change itself holds, and gateways have heard of it.
      expect((await it.rolesSeenBy(alice, group._id))?.map(([id]) => id)).toEqual([alice, carol]);
      await fixture.allHeard();
      const announced = it.announcedOf(group._id);
      expect(announced.some(({ removed }) => removed.includes(bob))).toBe(true);
      isAway = false;
      expect((await it.add(alice, group._id, carol)).status).toBe(200);
      expect((await it.remove(alice, group._id, bob)).status).toBe(404);
      expect(await changesOf(group._id)).toEqual([
        { kind: 'member', userId: carol },
        { kind: 'member', userId: bob },
      ]);
    });
  });
}
