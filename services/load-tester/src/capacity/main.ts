import { parseArgs } from 'node:util';
import { type Assumptions, type Capacity, defaults, deriveCapacity } from './derive-capacity.ts';
import { unitCosts } from './unit-costs.ts';

const usage = `Usage: npm run capacity -- [--users N[,N…]] [options]

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
  let columns: Assumptions[];
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
    const assumed = { ...defaults };
    for (const [option, name] of Object.entries(names)) {
      if (name !== 'users' && values[option] !== undefined) {
        Object.assign(assumed, { [name]: numberOf(option, values[option]) });
      }
    }
    const users = String(values.users ?? defaults.users).split(',');
    columns = users.map((one) => ({ ...assumed, users: numberOf('users', one) }));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return WRONG_USAGE;
  }
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const capacities = columns.map((assumed) => deriveCapacity(assumed, unitCosts));
  const json = capacities.map((capacity, index) => ({ assumed: columns[index], ...capacity }));
  process.stdout.write(
    values.json === true
      ? `${JSON.stringify({ unitCosts, capacities: json })}\n`
      : tableOf(capacities, values.markdown === true),
  );
  return 0;
}

function numberOf(option: string, given: string | boolean | undefined): number {
  const value = Number(given);
  if (!Number.isFinite(value) || value <= 0) {
    throw new Error(`--${option} must be a number above 0`);
  }
  return value;
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

/** A column for each number of users; the text beside it is that of the last. */
function tableOf(capacities: readonly Capacity[], isMarkdown: boolean): string {
  const [first] = capacities;
  const last = capacities.at(-1);
  const needs = (first?.rows ?? []).map(({ what, unit }, index) => [
    what,
    ...capacities.map(({ rows }) => short(rows[index]?.value ?? 0)),
    unit,
    last?.rows[index]?.from ?? '',
  ]);
  const full = (last?.limits ?? []).map(({ what, remedy }) => [
    what,
    ...capacities.map(({ limits }) => {
      const used = limits.find((limit) => limit.what === what)?.used ?? 0;
      return `${short(used * 100)} %`;
    }),
    '',
    remedy,
  ]);
  const users = capacities.map(({ rows }) => short(rows[0]?.value ?? 0));
  return [
    ...lines([['what', ...users, 'unit', 'how it comes about'], ...needs], isMarkdown),
    '',
    ...lines([['what there is one of', ...users, '', 'past that'], ...full], isMarkdown),
    '',
  ].join('\n');
}

function lines(rows: readonly (readonly string[])[], isMarkdown: boolean): string[] {
  const [head = [], ...others] = rows;
  if (isMarkdown) {
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rule = head.map((_, column) => (column > 0 && column < head.length - 2 ? '--:' : '---'));
    return [line(head), line(rule), ...others.map(line)];
  }
  const widths = head.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(column < cells.length - 1 ? (widths[column] ?? 0) : 0),
      )
      .join('  '),
  );
}

function short(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}
