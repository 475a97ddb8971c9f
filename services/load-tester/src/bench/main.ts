import { mkdir, writeFile } from 'node:fs/promises';
import { compareConnects, compareDeliveries, compareMemory, compareScales } from './compare.ts';
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
  const report = await measure(options);
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

async function measure(options: BenchOptions): Promise<Report> {
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  const { only, profileTo } = options;
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
      results.push(...(await compare(laboratory, options, note)));
    }
  }
  const scale = only.includes('scale') ? await compareScales(laboratory, options, note) : [];
  return { results, scale };
}
