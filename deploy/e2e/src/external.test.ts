import { describe } from 'vitest';
import { conformance } from './conformance.ts';
import { reachExternal } from './external-target.ts';
import { useTarget } from './target.ts';

describe('external', () => {
  conformance(useTarget(reachExternal));
});
