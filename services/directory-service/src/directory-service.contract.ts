import { accountsContract } from './accounts.contract.ts';
import { badInputContract } from './bad-input.contract.ts';
import { blocksContract } from './blocks.contract.ts';
import { conversationsContract } from './conversations.contract.ts';
import type { Engines } from './directory-fixture.ts';
import { friendPresenceContract } from './friend-presence.contract.ts';
import { friendsContract } from './friends.contract.ts';
import { memberJournalContract } from './member-journal.contract.ts';
import { participantsContract } from './participants.contract.ts';

/** What the service promises on any engines; call it within a `describe`. */
export function directoryServiceContract(engines: () => Engines): void {
  accountsContract(engines);
  conversationsContract(engines);
  participantsContract(engines);
  memberJournalContract(engines);
  friendsContract(engines);
  friendPresenceContract(engines);
  blocksContract(engines);
  badInputContract(engines);
}
