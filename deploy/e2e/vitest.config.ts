import { testConfig } from '@bambochat/testing/vitest';

// With an address in BAMBOCHAT_URL only that deployment is tested, and nothing is started.
export default testConfig({
  test: {
    exclude: process.env.BAMBOCHAT_URL
      ? ['src/stan*.test.ts', 'src/stack*.test.ts']
      : ['src/external.test.ts'],
  },
});
