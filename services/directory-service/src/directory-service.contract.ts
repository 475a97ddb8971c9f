import { accountsContract } from './accounts.contract.ts';
import { badInputContract } from './bad-input.contract.ts';
import { conversationsContract } from './conversations.contract.ts';
import type { Engines } from './directory-fixture.ts';

/** What the service promises on any engines; call it within a `describe`. */
export function directoryServiceContract(engines: () => Engines): void {
  accountsContract(engines);
  conversationsContract(engines);
  badInputContract(engines);
}
