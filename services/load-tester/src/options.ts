import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Profile, profiles } from './profiles.ts';

/** What a run is made of. Times in seconds, as on the command line. */
export interface LoadOptions {
  /** Gateways; sockets are spread over them in turns. */
  readonly targets: readonly [string, ...string[]];
  /** Answers the whole REST contract. */
  readonly rest: string;
  readonly profile: Profile;
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second, over all senders. */
  readonly rate: number;
  readonly duration: number;
  /** Sockets opened a second. */
  readonly ramp: number;
  readonly processes: number;
  /** Signs access tokens (HS256); null: everybody logs in. */
  readonly secret: string | null;
  readonly serverPids: readonly number[];
  readonly json: boolean;
  /** Where an HTML page is written. */
  readonly report: string | null;
}

export class UsageError extends Error {}

/** One process holds as many without being busy with it alone. */
const SOCKETS_PER_PROCESS = 5000;

export const usage = `Usage: npm run load -- --target <url>[,<url>…] [options]

Puts a deployment under load, checks every delivery, and measures. Exit status 1 when anything was
lost, duplicated or reordered.

  --target URL,URL    gateways (or the edge in front of them)
  --rest URL          answers REST (default: the first target)
  --profile NAME      ${Object.keys(profiles).join(', ')} (default: group)
  --sockets N  --conversations N  --members N  --rate N/s  --duration S
                      in place of what the profile says
  --ramp N            sockets opened a second (default 500)
  --processes N       that hold the sockets (default: one for each ${SOCKETS_PER_PROCESS}, as far as
                      there are cores)
  --secret TEXT       signs the access tokens (default $JWT_SECRET; without: everybody logs in)
  --server-pids N,N   processes of the servers on this machine: their CPU time and memory
  --report FILE       write an HTML page with plots
  --json              print one JSON object
  --help

A server has limits that one machine with thousands of users runs into. Start it for a load with
CONNECT_RATE=100000 CONNECT_BURST=1000000 MESSAGE_RATE=100000 MESSAGE_BURST=1000000
CONNECTIONS_PER_ADDRESS_MAX=1000000 AUTH_REQUESTS_PER_ADDRESS=1000000 PASSWORD_SCRYPT_COST=14
Past what it can do, MAX_CONNECTIONS and MAX_UNCONFIRMED are where it begins to refuse.
`;

/** @throws UsageError; null: help is wanted */
export function readOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): LoadOptions | null {
  const values = parse(args);
  if (values.help) {
    return null;
  }
  const profile = profiles[values.profile];
  if (profile === undefined) {
    throw new UsageError(`There is no profile ${values.profile}`);
  }
  const number = (name: keyof typeof values, fallback: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (!Number.isFinite(value) || value < least) {
      throw new UsageError(`--${name} must be a number of at least ${least}`);
    }
    return value;
  };
  const [first, ...others] = (values.target ?? '').split(',').map(addressOf);
  if (first === undefined) {
    throw new UsageError('--target is missing');
  }
  const sockets = Math.floor(number('sockets', profile.sockets, 1));
  const members = Math.floor(number('members', profile.members, 2));
  if (members > sockets && profile.rate > 0) {
    throw new UsageError(`--members ${members} need as many --sockets`);
  }
  const conversations = Math.floor(number('conversations', profile.conversations, 0));
  if (members === 2 && conversations * members > sockets) {
    // Two people have one direct conversation, however often it is opened.
    throw new UsageError(`--conversations ${conversations} of two need twice as many --sockets`);
  }
  const wanted = Math.ceil(sockets / SOCKETS_PER_PROCESS);
  const cores = availableParallelism();
  const serverPids = values['server-pids']?.split(',').map(Number) ?? [];
  if (serverPids.some((pid) => !Number.isInteger(pid) || pid < 1)) {
    throw new UsageError('--server-pids takes process ids');
  }
  return {
    targets: [first, ...others],
    rest: values.rest === undefined ? first : addressOf(values.rest),
    profile,
    sockets,
    conversations,
    members,
    rate: number('rate', profile.rate, 0),
    duration: number('duration', 60, 1),
    ramp: number('ramp', 500, 1),
    processes: Math.floor(number('processes', Math.min(cores, wanted), 1)),
    secret: values.secret ?? (env.JWT_SECRET || null),
    serverPids,
    json: values.json,
    report: values.report ?? null,
  };
}

function addressOf(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new UsageError(`Not an address: ${text === '' ? '(nothing)' : text}`);
  }
  return text.replace(/\/+$/, '');
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        target: text,
        rest: text,
        profile: { ...text, default: 'group' },
        sockets: text,
        conversations: text,
        members: text,
        rate: text,
        duration: text,
        ramp: text,
        processes: text,
        secret: text,
        'server-pids': text,
        report: text,
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
