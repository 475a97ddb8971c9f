import { afterEach, describe, expect, test } from 'vitest';
import { announcingContract } from './presence-announcing.contract.ts';
import { epochsContract } from './presence-epochs.contract.ts';
import { leasesContract } from './presence-leases.contract.ts';
import { reportsContract } from './presence-reports.contract.ts';
import { transitionsContract } from './presence-transitions.contract.ts';
import { type OpenPresence, PresenceWorld } from './presence-world.fixture.ts';

/** What every presence store must do, on a clock that the tests move. */
export function presenceStoreContract(name: string, open: OpenPresence): void {
  describe(`presence store: ${name}`, () => {
    let world: PresenceWorld | undefined;
    const newWorld = async () => {
      world = await PresenceWorld.open(open);
      return world;
    };
    afterEach(async () => {
      await world?.harness.close();
      world = undefined;
    });

    transitionsContract(newWorld);
    announcingContract(newWorld);
    reportsContract(newWorld);
    leasesContract(newWorld);
    epochsContract(newWorld);

    test('what is called after close rejects with UNAVAILABLE', async () => {
      const { harness, store } = await newWorld();
      await store.sweep({ aliveAt: 0, limit: 1 });
      for (const door of harness.doors()) {
        await door.close();
        await door.close();
        const calls = [door.check(), door.sweep({ aliveAt: 0, limit: 1 }), door.claim(1)];
        for (const outcome of await Promise.allSettled(calls)) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
        }
      }
    });
  });
}
