import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runChildProgram } from './child-program.ts';
import { runProgram } from './run-program.ts';
import { formatTestResults, readResultFile } from './test-results.ts';

type Outcome = 'passed' | 'failed' | 'skipped';

function resultFileText(root: string, file: string, outcomes: Record<string, Outcome>): string {
  const failed = Object.values(outcomes).includes('failed');
  return JSON.stringify({
    success: !failed,
    testResults: [
      {
        name: join(root, file),
        status: failed ? 'failed' : 'passed',
        message: '',
        assertionResults: Object.entries(outcomes).map(([fullName, status]) => ({
          fullName,
          status,
          meta: status === 'skipped' ? { skipReason: 'no such device' } : {},
        })),
      },
    ],
  });
}

/** A repository with packages `libs/<name>`; each has a test file, and results unless undefined. */
async function repository(packages: Record<string, Record<string, Outcome> | string | undefined>) {
  const root = await mkdtemp(join(tmpdir(), 'bambochat-test-'));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  };
  await write('package.json', JSON.stringify({ workspaces: ['libs/*', 'deploy/e2e'] }));
  for (const [name, results] of Object.entries(packages)) {
    await write(`libs/${name}/package.json`, '{}');
    await write(`libs/${name}/src/a.test.ts`, '');
    if (results !== undefined) {
      const text =
        typeof results === 'string'
          ? results
          : resultFileText(root, `libs/${name}/src/a.test.ts`, results);
      await write(`libs/${name}/.test-results/results.json`, text);
    }
  }
  return {
    async summarize(status = '0') {
      await using program = runChildProgram('./test-summary.ts', [status, root]);
      const ended = await program.ended();
      return { status: ended.status, lines: ended.output.trimEnd().split('\n') };
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

test('passes and skips of all packages are added up; a skip is listed with its reason', async () => {
  await using repo = await repository({
    one: { 'a works': 'passed', 'b works': 'passed' },
    two: { 'c works': 'passed', 'd works': 'skipped' },
  });
  expect(await repo.summarize()).toEqual({
    status: 0,
    lines: [
      'Skipped:',
      '  libs/two/src/a.test.ts: d works (no such device)',
      '3 passed, 0 failed, 1 skipped',
    ],
  });
});

test('a failed test is listed by name and fails the whole', async () => {
  await using repo = await repository({
    one: { 'a works': 'passed' },
    two: { 'c works': 'failed' },
  });
  const { status, lines } = await repo.summarize('1');
  expect(status).toBe(1);
  expect(lines).toEqual([
    'Failed:',
    '  libs/two/src/a.test.ts: c works',
    '1 passed, 1 failed, 0 skipped',
  ]);
});

test('a package that has tests and left no results is a failure', async () => {
  await using repo = await repository({ one: { 'a works': 'passed' }, two: undefined });
  const { status, lines } = await repo.summarize();
  expect(status).toBe(1);
  expect(lines).toContain('  libs/two: its tests left no results');
  expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
});

test('a damaged result file is a failure', async () => {
  await using repo = await repository({ one: { 'a works': 'passed' }, two: '{"success":' });
  const { status, lines } = await repo.summarize();
  expect(status).toBe(1);
  expect(lines).toContain('  libs/two: its result file is damaged');
});

test('a run in which nothing ran does not pass', async () => {
  await using repo = await repository({});
  const { status, lines } = await repo.summarize();
  expect(status).toBe(1);
  expect(lines.at(-1)).toBe('0 passed, 0 failed, 0 skipped');
});

test('a failed lint or typecheck fails the whole though every test passed', async () => {
  await using repo = await repository({ one: { 'a works': 'passed' } });
  const { status, lines } = await repo.summarize('2');
  expect(status).toBe(1);
  expect(lines).toEqual([
    'No test failed, but lint, typecheck or a build did: see above.',
    '1 passed, 0 failed, 0 skipped',
  ]);
});

test('Vitest leaves failures, reasons of skips and uncaught errors in the result file', async () => {
  const root = fileURLToPath(new URL('./fixtures/', import.meta.url));
  const sample = join(root, 'sample-package');
  const vitest = fileURLToPath(import.meta.resolve('vitest/package.json')).replace(
    'package.json',
    'vitest.mjs',
  );
  try {
    await expect(
      runProgram(process.execPath, [vitest, 'run', '--root', sample], { timeout: 60_000 }),
    ).rejects.toThrow('failed');
    const results = await readResultFile(root, 'sample-package');
    expect(results).toEqual({
      passed: 2,
      failed: [
        'sample-package/outcomes.case.ts: fails',
        'sample-package: an error that no test caught: nobody waits for this',
      ],
      skipped: ['sample-package/outcomes.case.ts: is skipped with a reason (no such device)'],
    });
    expect(formatTestResults(results).trimEnd().split('\n').at(-1)).toBe(
      '2 passed, 2 failed, 1 skipped',
    );
  } finally {
    for (const leftover of ['.test-results', 'node_modules']) {
      await rm(join(sample, leftover), { recursive: true, force: true });
    }
  }
});
