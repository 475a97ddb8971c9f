import { testConfig } from '@bambochat/testing/vitest';

// With an address in BAMBOCHAT_URL only that deployment is tested, and nothing is started.
export default testConfig({
  test: {
    include: ['src/**/*.test.ts', 'faults/**/*.test.ts', 'web/**/*.test.ts'],
    exclude: process.env.BAMBOCHAT_URL
      ? ['src/stan*.test.ts', 'src/stack*.test.ts', 'faults/**', 'web/**']
      : ['src/external.test.ts'],
  },
});
