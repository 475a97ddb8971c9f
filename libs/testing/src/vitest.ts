import type { ViteUserConfig } from 'vitest/config';
import { defineConfig, mergeConfig } from 'vitest/config';
import { ResultsReporter } from './results-reporter.ts';

/**
 * The Vitest configuration of every package. The result file is what `test-summary.ts` adds up
 * after all packages have run; it is written below the package that runs.
 */
export function testConfig(overrides: ViteUserConfig = {}): ViteUserConfig {
  const shared = defineConfig({
    test: {
      environment: 'node',
      include: ['src/**/*.test.ts'],
      // Real servers and a busy machine: generous limits that only a hang reaches.
      testTimeout: 30_000,
      hookTimeout: 120_000,
      pool: 'forks',
      maxWorkers: 2,
      passWithNoTests: false,
      reporters: ['default', new ResultsReporter({ outputFile: '.test-results/results.json' })],
    },
  });
  return mergeConfig(shared, overrides);
}
