import { announcementsContract } from './announcements.contract.ts';
import { interruptionsContract } from './interruptions.contract.ts';
import type { OpenHouse } from './presence-fixture.ts';
import { recoveryContract } from './recovery.contract.ts';
import { requestsContract } from './requests.contract.ts';

/** What the service promises on any engines; call it within a `describe`. */
export function presenceServiceContract(open: OpenHouse): void {
  requestsContract(open);
  announcementsContract(open);
  interruptionsContract(open);
  recoveryContract(open);
}
