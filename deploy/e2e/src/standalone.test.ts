import { describe } from 'vitest';
import { conformance } from './conformance.ts';
import { startStandalone } from './standalone-target.ts';
import { useTarget } from './target.ts';

describe('standalone', () => {
  conformance(useTarget(() => startStandalone()));
});
