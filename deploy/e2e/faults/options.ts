import { parseArgs } from 'node:util';

export const usage = `Usage: npm run faults -- [options]

  --only N[,N…]   run these faults
  --list          name the faults and run none
  --json          one line of JSON with all results on standard output
  --markdown      the table of the README on standard output
  --help
`;

/** The command line is wrong; the message says what. Exit status 64 (EX_USAGE of sysexits.h). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Options {
  readonly action: 'run' | 'list' | 'help';
  /** In rising order. */
  readonly ids: readonly number[];
  readonly output: 'table' | 'json' | 'markdown';
}

/** @param known ids of all faults @throws UsageError */
export function readOptions(args: readonly string[], known: readonly number[]): Options {
  const values = parse(args);
  if (values.json && values.markdown) {
    throw new UsageError('--json and --markdown exclude each other');
  }
  return {
    action: values.help ? 'help' : values.list ? 'list' : 'run',
    ids: values.only === undefined ? known : chosen(values.only, known),
    output: values.json ? 'json' : values.markdown ? 'markdown' : 'table',
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        only: { type: 'string' },
        list: { type: 'boolean' },
        json: { type: 'boolean' },
        markdown: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function chosen(list: string, known: readonly number[]): number[] {
  const ids = new Set<number>();
  for (const text of list.split(',')) {
    const id = /^\d{1,3}$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (!known.includes(id)) {
      throw new UsageError(`--only: there is no fault ${JSON.stringify(text)}`);
    }
    ids.add(id);
  }
  return known.filter((id) => ids.has(id));
}
