import { backendFaults } from './backend-faults.ts';
import { clientNetworkFaults } from './client-network-faults.ts';
import type { Fault } from './fault.ts';
import { momentFaults } from './moment-faults.ts';
import { ownSystemFaults } from './own-system-faults.ts';
import { processFaults } from './process-faults.ts';

/** All faults, by number. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...momentFaults,
  ...backendFaults,
  ...ownSystemFaults,
  ...clientNetworkFaults,
].toSorted((one, other) => one.id - other.id);
