import { parseArgs } from 'node:util';
import { type Assumptions, type Capacity, defaults, deriveCapacity } from './derive-capacity.ts';
import { unitCosts } from './unit-costs.ts';

const usage = `Usage: npm run capacity -- [--users N] [options]

What a deployment needs at its busiest moment, from the measured cost of one of each thing.

${Object.entries(optionNames())
  .map(([option, name]) => `  --${option.padEnd(22)} default ${defaults[name]}`)
  .join('\n')}
  --markdown               a table for BENCHMARKS.md
  --json                   print one JSON object
  --help
`;

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;

process.exitCode = main();

function main(): number {
  const names = optionNames();
  let assumed: Assumptions;
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      options: {
        ...Object.fromEntries(
          Object.keys(names).map((name) => [name, { type: 'string' as const }]),
        ),
        json: { type: 'boolean' },
        markdown: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }));
    assumed = { ...defaults };
    for (const [option, name] of Object.entries(names)) {
      const value = Number(values[option] ?? defaults[name]);
      if (!Number.isFinite(value) || value <= 0) {
        throw new Error(`--${option} must be a number above 0`);
      }
      Object.assign(assumed, { [name]: value });
    }
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return WRONG_USAGE;
  }
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const capacity = deriveCapacity(assumed, unitCosts);
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ assumed, unitCosts, ...capacity })}\n`
      : tableOf(capacity, values.markdown === true),
  );
  return 0;
}

/** `messages-per-day` and so on. */
function optionNames(): Record<string, keyof Assumptions> {
  return Object.fromEntries(
    (Object.keys(defaults) as (keyof Assumptions)[]).map((name) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      name,
    ]),
  );
}

function tableOf({ rows, limits }: Capacity, isMarkdown: boolean): string {
  const needs = rows.map(({ what, value, unit, from }) => [
    what,
    `${short(value)}${unit === '' || unit.startsWith('/') ? unit : ` ${unit}`}`,
    from,
  ]);
  const full = limits.map(({ what, used, remedy }) => [what, `${short(used * 100)} %`, remedy]);
  return [
    ...lines([['what', 'needed', 'how it comes about'], ...needs], isMarkdown),
    '',
    ...lines([['what there is one of', 'used', 'past that'], ...full], isMarkdown),
    '',
  ].join('\n');
}

function lines(rows: readonly (readonly string[])[], isMarkdown: boolean): string[] {
  if (isMarkdown) {
    const [head = [], ...others] = rows;
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    return [line(head), '| --- | --: | --- |', ...others.map(line)];
  }
  const widths = [0, 1].map((column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map(
    ([what = '', value = '', more = '']) =>
      `${what.padEnd(widths[0] ?? 0)}  ${value.padStart(widths[1] ?? 0)}  ${more}`,
  );
}

function short(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}
