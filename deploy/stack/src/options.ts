import { parseArgs } from 'node:util';

/** How many processes of each kind, and how the stack shows itself. */
export interface StackOptions {
  readonly gateways: number;
  readonly messageServices: number;
  readonly presenceServices: number;
  readonly historyServices: number;
  readonly directoryServices: number;
  readonly webServices: number;
  /** Port of the edge; 0: a free one. */
  readonly port: number;
  /** Start services that died again. */
  readonly restart: boolean;
  /** Write the logs of all processes here instead of standard error. */
  readonly logFile: string | null;
}

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'run'; readonly options: StackOptions; readonly json: boolean };

/** The command line is wrong; the message says what. Exit status 64 (EX_USAGE of sysexits.h). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: npm run stack -- [options]

  --gateways N            socket gateways (default 2)
  --message-services N    (default 2)
  --presence-services N   (default 2)
  --history-services N    (default 1)
  --directory-services N  (default 1)
  --web-services N        (default 1)
  --port N                port of the edge; 0 is a free one (default PORT, else 3000)
  --restart               start services that died again
  --log-file PATH         append the logs to this file instead of standard error
  --json                  print one line of JSON when all are ready
  --help
`;

const PROCESSES_MAX = 64;
const PORT_MAX = 65_535;
const DEFAULT_PORT = 3000;

/** @throws UsageError for an unknown flag, a wrong number or anything that is not a flag. */
export function readInvocation(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Invocation {
  const values = parse(args);
  if (values.help) {
    return { kind: 'help' };
  }
  const processes = (flag: CountFlag, fallback: number) =>
    wholeNumber(`--${flag}`, values[flag], 1, PROCESSES_MAX) ?? fallback;
  return {
    kind: 'run',
    json: values.json ?? false,
    options: {
      gateways: processes('gateways', 2),
      messageServices: processes('message-services', 2),
      presenceServices: processes('presence-services', 2),
      historyServices: processes('history-services', 1),
      directoryServices: processes('directory-services', 1),
      webServices: processes('web-services', 1),
      port:
        wholeNumber('--port', values.port, 0, PORT_MAX) ??
        // An empty variable counts as absent, as everywhere.
        wholeNumber('PORT', env.PORT || undefined, 0, PORT_MAX) ??
        DEFAULT_PORT,
      restart: values.restart ?? false,
      logFile: logFile(values['log-file']),
    },
  };
}

type CountFlag =
  | 'gateways'
  | 'message-services'
  | 'presence-services'
  | 'history-services'
  | 'directory-services'
  | 'web-services';

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        gateways: { type: 'string' },
        'message-services': { type: 'string' },
        'presence-services': { type: 'string' },
        'history-services': { type: 'string' },
        'directory-services': { type: 'string' },
        'web-services': { type: 'string' },
        port: { type: 'string' },
        restart: { type: 'boolean' },
        'log-file': { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function wholeNumber(
  name: string,
  text: string | undefined,
  minimum: number,
  maximum: number,
): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= minimum && number <= maximum)) {
    throw new UsageError(`${name} must be a whole number from ${minimum} to ${maximum}`);
  }
  return number;
}

function logFile(path: string | undefined): string | null {
  if (path === '') {
    throw new UsageError('--log-file must name a file');
  }
  return path ?? null;
}
