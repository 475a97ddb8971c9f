import { faults } from './all-faults.ts';
import type { Fault, System } from './fault.ts';
import { type Options, readOptions, UsageError, usage } from './options.ts';
import { jsonReport, markdownReport, tableReport } from './report.ts';
import { type FaultResult, failed, holds, messageOf, runFault } from './run-fault.ts';
import { startStackSystem, startStandaloneSystem } from './systems.ts';

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;
/** What a shell reports of a process that was interrupted. */
const INTERRUPTED = 130;
/** A system that has borne so many is replaced: its log must not outgrow what is kept of it. */
const FAULTS_PER_SYSTEM = 4;

const say = (line: string) => void process.stderr.write(`${line}\n`);

process.exitCode = await main();
// Whatever still holds the event loop has had its time.
process.exit();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(
      process.argv.slice(2),
      faults.map(({ id }) => id),
    );
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    say(`${error.message}\n\n${usage}`);
    return WRONG_USAGE;
  }
  if (options.action === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = faults.filter(({ id }) => options.ids.includes(id));
  if (options.action === 'list') {
    process.stdout.write(chosen.map(({ id, name }) => `${id}\t${name}\n`).join(''));
    return 0;
  }

  const results = await runAll(chosen);
  const reports = { json: jsonReport, table: tableReport, markdown: markdownReport };
  process.stdout.write(`${reports[options.output](results)}\n`);
  return results.every((result) => result.skipped !== undefined || holds(result)) ? 0 : 1;
}

/** A system, and how many faults it has borne. */
interface Running {
  readonly kind: Fault['system'];
  readonly system: System;
  faults: number;
}

async function runAll(chosen: readonly Fault[]): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  const place: { running: Running | null } = { running: null };

  async function dispose(): Promise<void> {
    const ending = place.running;
    place.running = null;
    await ending?.system[Symbol.asyncDispose]();
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      say(`${signal}: stopping everything`);
      void dispose().finally(() => process.exit(INTERRUPTED));
    });
  }

  for (const fault of chosen) {
    say(`${fault.id}. ${fault.name} …`);
    const began = performance.now();
    let result: FaultResult;
    try {
      let { running } = place;
      if (running?.kind !== fault.system || running.faults >= FAULTS_PER_SYSTEM) {
        await dispose();
        running = { kind: fault.system, system: await startSystem(fault.system), faults: 0 };
        place.running = running;
      }
      running.faults += 1;
      result = await runFault(fault, running.system);
    } catch (error) {
      result = failed(fault, error);
    }
    results.push(result);
    for (const line of [...result.evidence, ...result.violations.map((text) => `! ${text}`)]) {
      say(`   ${line}`);
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    say(
      `   ${result.skipped === undefined ? (holds(result) ? 'holds' : 'DOES NOT HOLD') : `skipped: ${result.skipped}`} (${seconds} s)`,
    );
    if (!holds(result)) {
      // It may be in any state.
      await dispose().catch((error: unknown) => say(`   ${messageOf(error)}`));
    }
  }
  await dispose();
  return results;
}

function startSystem(kind: Fault['system']): Promise<System> {
  switch (kind) {
    case 'stack':
      return startStackSystem();
    case 'standalone':
      return startStandaloneSystem();
    default:
      return kind.start();
  }
}
