import { mkdir, writeFile } from 'node:fs/promises';
import { compareConnects, compareDeliveries, compareMemory, compareScales } from './compare.ts';
import { Disturbance } from './disturbance.ts';
import { openLaboratory } from './laboratory.ts';
import { type BenchOptions, readOptions, UsageError, usage } from './options.ts';
import { plotOf, type Report, ratiosOf, tablesOf } from './report.ts';

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: BenchOptions | null;
  try {
    options = readOptions(process.argv.slice(2));
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
  let report: Report;
  try {
    report = await measure(options);
  } catch (error) {
    process.stderr.write(`The benchmark has failed. ${messageOf(error)}\n`);
    return 1;
  }
  if (options.plot !== null) {
    await writeFile(options.plot, plotOf(report));
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ ratios: ratiosOf(report), ...report })}\n`
      : tablesOf(report),
  );
  return 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function measure(options: BenchOptions): Promise<Report> {
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  const { only, profileTo, rounds, quick } = options;
  // Each round once more, on average: a machine that is never quiet must not be waited for.
  const disturbance = new Disturbance(quick ? 0 : 8 * rounds);
  const extent = { rounds, quick, disturbance };
  if (profileTo !== null) {
    await mkdir(profileTo, { recursive: true });
  }
  await using laboratory = await openLaboratory(profileTo);
  const results = [];
  for (const [name, compare] of [
    ['deliver', compareDeliveries],
    ['connect', compareConnects],
    ['memory', compareMemory],
  ] as const) {
    if (only.includes(name)) {
      results.push(...(await compare(laboratory, extent, note)));
    }
  }
  const scale = only.includes('scale') ? await compareScales(laboratory, extent, note) : [];
  return { results, scale, otherPrograms: disturbance.figures };
}
