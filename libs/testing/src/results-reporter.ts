import { JsonReporter } from 'vitest/node';

type TestModules = Parameters<JsonReporter['onTestRunEnd']>[0];

/**
 * Vitest's JSON reporter, plus what it leaves out and the summary of all packages needs: why a test
 * was skipped (`meta.skipReason`), and errors that belong to no test, which fail the run
 * (`unhandledErrors`).
 */
export class ResultsReporter extends JsonReporter {
  #unhandledErrors: readonly string[] = [];

  override async onTestRunEnd(
    testModules: TestModules,
    unhandledErrors: readonly { readonly message: string }[] = [],
  ): Promise<void> {
    this.#unhandledErrors = unhandledErrors.map((error) => error.message);
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests('skipped')) {
        const result = test.result();
        if (result.state === 'skipped' && result.note) {
          Object.assign(test.meta(), { skipReason: result.note });
        }
      }
    }
    await super.onTestRunEnd(testModules);
  }

  override async writeReport(report: string): Promise<void> {
    const extended = { ...JSON.parse(report), unhandledErrors: this.#unhandledErrors };
    await super.writeReport(JSON.stringify(extended));
  }
}
