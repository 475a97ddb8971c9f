import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountsContract } from './directory-accounts.contract.ts';
import { conversationsContract } from './directory-conversations.contract.ts';
import { readMarksContract } from './directory-read-marks.contract.ts';
import type { DirectoryStore } from './directory-store.ts';

export interface DirectoryStoreHarness {
  /** Two doors to the same data: two connections where the engine allows them. */
  readonly stores: readonly [DirectoryStore, DirectoryStore];
  close(): Promise<void>;
}

/** What every directory store must do. Tests share the data and use new ids each. */
export function directoryStoreContract(
  name: string,
  open: () => Promise<DirectoryStoreHarness>,
): void {
  describe(`directory store: ${name}`, () => {
    let harness: DirectoryStoreHarness;
    const doors = () => harness.stores;

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness?.close());

    accountsContract(doors);
    conversationsContract(doors);
    readMarksContract(doors);

    test('check resolves while the engine answers', async () => {
      await expect(harness.stores[0].check()).resolves.toBeUndefined();
    });
  });
}
