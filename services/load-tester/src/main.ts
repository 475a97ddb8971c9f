import { writeFile } from 'node:fs/promises';
import { type LoadOptions, readOptions, UsageError, usage } from './options.ts';
import { pageOf } from './report-page.ts';
import { tableOf } from './report-table.ts';
import { holds, runLoad } from './run-load.ts';

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: LoadOptions | null;
  try {
    options = readOptions(process.argv.slice(2), process.env);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    process.stderr.write(`${error.message}\n\n${usage}`);
    return WRONG_USAGE;
  }
  if (options === null) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const result = await runLoad(options, (line) => void process.stderr.write(`${line}\n`));
    if (options.report !== null) {
      await writeFile(options.report, pageOf(result));
    }
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : tableOf(result));
    return holds(result) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}
