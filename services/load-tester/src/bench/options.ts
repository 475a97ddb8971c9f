import { parseArgs } from 'node:util';

export const comparisons = ['deliver', 'connect', 'memory', 'scale'] as const;
export type Comparison = (typeof comparisons)[number];

export interface BenchOptions {
  readonly only: readonly Comparison[];
  readonly rounds: number;
  /** Shorter, with fewer sockets: to see that it runs, not to quote. */
  readonly quick: boolean;
  readonly json: boolean;
  /** Where an SVG picture is written. */
  readonly plot: string | null;
  /** A folder for CPU profiles of the servers. */
  readonly profileTo: string | null;
}

export const usage = `Usage: npm run bench -- [options]

Compares the socket-gateway with plain Socket.IO, side by side: the same options, rooms, messages and
Redis. CPU time comes from the kernel's account of the server processes. Linux.

  --only LIST      of ${comparisons.join(',')} (default: all)
  --rounds N       of each comparison; medians are shown (default 3)
  --quick          shorter and smaller: to see that it runs
  --json           print one object instead of tables
  --plot FILE      write a picture of the ratios (SVG)
  --profile DIR    write CPU profiles of the servers; the figures are of no use then
  --help
`;

export class UsageError extends Error {}

/** @throws UsageError; null: help is wanted */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parse(args);
  if (values.help) {
    return null;
  }
  const only = values.only?.split(',') ?? [...comparisons];
  const unknown = only.find((name) => !(comparisons as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--only knows ${comparisons.join(', ')}, and not ${unknown}`);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new UsageError('--rounds must be a whole number from 1 to 100');
  }
  return {
    only: only as Comparison[],
    rounds,
    quick: values.quick,
    json: values.json,
    plot: values.plot ?? null,
    profileTo: values.profile ?? null,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string', default: '3' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        plot: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
