import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hasTests, resultFile, workspaceFolders } from './workspaces.ts';

export interface TestResults {
  readonly passed: number;
  /** `<file>: <name>` of each failed test, and what failed besides a single test. */
  readonly failed: readonly string[];
  /** `<file>: <name> (<reason>)` of each skipped test. */
  readonly skipped: readonly string[];
}

/** The part of a result file that is read; see `ResultsReporter`. */
interface ResultFile {
  readonly success: boolean;
  readonly unhandledErrors?: readonly string[];
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly meta?: { readonly skipReason?: string };
    }[];
  }[];
}

/**
 * Adds up what the packages left behind. A package that has test files and no results counts as
 * one failure, and so do a file that failed outside its tests and an error that no test caught.
 */
export async function collectTestResults(root: string): Promise<TestResults> {
  const all: TestResults[] = [];
  for (const folder of await workspaceFolders(root)) {
    if (existsSync(join(root, folder, resultFile))) {
      all.push(await readResultFile(root, folder));
    } else if (await hasTests(join(root, folder))) {
      all.push({ passed: 0, failed: [`${folder}: its tests left no results`], skipped: [] });
    }
  }
  return {
    passed: all.reduce((sum, results) => sum + results.passed, 0),
    failed: all.flatMap((results) => results.failed),
    skipped: all.flatMap((results) => results.skipped),
  };
}

/** What the tests of one package left behind; a file that is not JSON counts as one failure. */
export async function readResultFile(root: string, folder: string): Promise<TestResults> {
  const text = await readFile(join(root, folder, resultFile), 'utf8');
  let passed = 0;
  const failed: string[] = [];
  const skipped: string[] = [];
  let results: ResultFile;
  try {
    results = JSON.parse(text);
  } catch {
    return { passed, failed: [`${folder}: its result file is damaged`], skipped };
  }
  for (const module of results.testResults) {
    const file = relative(root, module.name);
    const failuresBefore = failed.length;
    for (const test of module.assertionResults) {
      const name = `${file}: ${test.fullName.trim()}`;
      if (test.status === 'passed') {
        passed += 1;
      } else if (test.status === 'failed') {
        failed.push(name);
      } else {
        skipped.push(`${name} (${test.meta?.skipReason ?? 'no reason given'})`);
      }
    }
    if (module.status === 'failed' && failed.length === failuresBefore) {
      failed.push(`${file}: ${module.message || 'failed outside its tests'}`);
    }
  }
  for (const message of results.unhandledErrors ?? []) {
    failed.push(`${folder}: an error that no test caught: ${message}`);
  }
  if (!results.success && failed.length === 0) {
    failed.push(`${folder}: the run failed`);
  }
  return { passed, failed, skipped };
}

/** The report; its last line is `N passed, N failed, N skipped`. */
export function formatTestResults({ passed, failed, skipped }: TestResults): string {
  return [
    ...(skipped.length > 0 ? ['Skipped:', ...skipped.map((name) => `  ${name}`)] : []),
    ...(failed.length > 0 ? ['Failed:', ...failed.map((name) => `  ${name}`)] : []),
    `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`,
    '',
  ].join('\n');
}
