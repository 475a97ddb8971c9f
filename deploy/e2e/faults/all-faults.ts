import { backendFaults } from './backend-faults.ts';
import type { Fault } from './fault.ts';
import { processFaults } from './process-faults.ts';

/** All faults, by number. */
export const faults: readonly Fault[] = [...processFaults, ...backendFaults].toSorted(
  (one, other) => one.id - other.id,
);
