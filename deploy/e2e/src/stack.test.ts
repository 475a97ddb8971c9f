import { describe } from 'vitest';
import { conformance } from './conformance.ts';
import { startStack } from './stack-target.ts';
import { useTarget } from './target.ts';

describe('stack', () => {
  conformance(useTarget(() => startStack()));
});
