/*
 * Run last by `npm test`, with the exit status of the run before it:
 *   node libs/testing/src/test-summary.ts <status> [root]
 */
import { collectTestResults, formatTestResults } from './test-results.ts';

const [status = '0', root = process.cwd()] = process.argv.slice(2);

const results = await collectTestResults(root);
if (status !== '0' && results.failed.length === 0) {
  process.stdout.write('No test failed, but lint, typecheck or a build did: see above.\n');
}
if (results.passed === 0) {
  process.stdout.write('No test has passed: nothing was proved.\n');
}
process.stdout.write(formatTestResults(results));
process.exitCode = status === '0' && results.failed.length === 0 && results.passed > 0 ? 0 : 1;
