import { writeFile } from 'node:fs/promises';
import { WorkerLostError } from './coordinator.ts';
import { type LoadOptions, readOptions, UsageError, usage } from './options.ts';
import { createProgressDisplay } from './progress-display.ts';
import { pageOf } from './report-page.ts';
import { tableOf } from './report-table.ts';
import { holds, runLoad } from './run-load.ts';
import { startWorkers } from './start-workers.ts';

const NOT_KEPT = 1;
const NOT_CARRIED_OUT = 2;
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
    return options.pod === 0 ? await coordinate(options) : await help(options);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof WorkerLostError ? NOT_KEPT : NOT_CARRIED_OUT;
  }
}

async function coordinate(options: LoadOptions): Promise<number> {
  const result = await (async () => {
    using display = createProgressDisplay(process.stderr, titleOf(options));
    return await runLoad(options, display);
  })();
  if (options.report !== null) {
    await writeFile(options.report, pageOf(result));
  }
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : tableOf(result));
  return holds(result) ? 0 : NOT_KEPT;
}

/** Another pod coordinates; the verdict is its. */
async function help(options: LoadOptions): Promise<number> {
  using workers = startWorkers(options.processes, {
    meeting: options.meeting,
    secret: options.secret,
  });
  return Math.max(...(await workers.ended));
}

function titleOf({ profile, sockets, targets }: LoadOptions): string {
  return `${profile.name}: ${sockets.toLocaleString('en')} sockets at ${targets.join(', ')}`;
}
