import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type Profile, profiles } from './profiles.ts';
import {
  type Listing,
  localProcess,
  readListing,
  remoteProcess,
  type ServerProcess,
} from './server-processes.ts';
import type { Step } from './worker-protocol.ts';

/** What a run is made of. */
export interface LoadOptions {
  /** Gateways; sockets are spread over them in turns. */
  readonly targets: readonly string[];
  /** Answers the whole REST contract. */
  readonly rest: string;
  readonly profile: Profile;
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second over all senders, one rate after the other. */
  readonly steps: readonly [Step, ...Step[]];
  /** Sockets opened a second. */
  readonly connectRate: number;
  /** That hold sockets, of this machine or pod. */
  readonly processes: number;
  /** The same, of all pods. */
  readonly workers: number;
  /** Which of the pods this is; 0 coordinates. */
  readonly pod: number;
  /** Where workers and coordinator meet. */
  readonly meeting: {
    /** `host:port` for the workers of other pods. */
    readonly coordinator: string;
    /** Where it listens. */
    readonly host: string;
    readonly port: number;
    readonly token: string;
    /** Milliseconds. */
    readonly joinWithin: number;
  };
  /** Local addresses that connections come from; none: the system's choice, on loopback more. */
  readonly sourceAddresses: readonly string[];
  /** Signs access tokens (HS256); null: everybody logs in. */
  readonly secret: string | null;
  /** Whose CPU time and memory are read. */
  readonly servers: readonly ServerProcess[];
  readonly json: boolean;
  /** Where an HTML page is written. */
  readonly report: string | null;
}

export class UsageError extends Error {}

/** One process holds as many without being busy with it alone. */
const SOCKETS_PER_PROCESS = 5000;
/** Bytes. */
const TOKEN_MIN = 16;
/** Milliseconds: a pod may wait for a node. */
const JOIN_WITHIN = 300_000;

export const usage = `Usage: npm run load -- --target <url>[,<url>…] [options]

Puts a deployment under load, checks every delivery, and measures. Exit status 1 when anything was
lost, duplicated or reordered, or a worker of the run was lost; 2 when the run could not be carried out.

  --target URL,URL    gateways (or the edge in front of them); sockets take turns
  --listing FILE      what \`npm run -s stack -- --json\` or \`npm -s start -- --json\` printed: targets,
                      REST and the processes of the servers, for their CPU time and memory
  --rest URL          answers REST (default: the first target)
  --profile NAME      ${Object.keys(profiles).join(', ')} (default: group)
  --sockets N  --conversations N  --members N  --rate N/s  --duration S
                      in place of what the profile says
  --steps N,N         rates, one after the other, each for --step-seconds S (default 10)
  --connect-rate N    sockets opened a second (default 500)
  --processes N       that hold the sockets (default: one for each ${SOCKETS_PER_PROCESS}, as far as
                      there are cores)
  --source-addresses IP,IP
                      where connections come from, the next when the ports of one are used up. For
                      targets on loopback 127.0.0.2, 127.0.0.3 … are taken by themselves
  --secret TEXT       signs the access tokens (default $JWT_SECRET; without: everybody logs in)
  --server-pids N,N   processes of the servers on this machine: their CPU time and memory
  --server-metrics URL,URL
                      the same from /metrics of servers elsewhere
  --report FILE       write an HTML page with plots
  --json              print one JSON object
  --help

Several machines, as an Indexed Job of Kubernetes: the same command on each, and LOAD_TOKEN with the
same text in the environment.
  --pods N            how many (default 1)
  --pod N             which one this is (default $JOB_COMPLETION_INDEX); 0 coordinates, prints the result
  --coordinator H:P   where pod 0 is reached by the others; it listens on port P
  --listen HOST       at this address (default 0.0.0.0)

A server has limits that one machine with thousands of users runs into. Start it for a load with
CONNECT_RATE=100000 CONNECT_BURST=1000000 MESSAGE_RATE=100000 MESSAGE_BURST=1000000
REQUEST_RATE=100000 REQUEST_BURST=1000000 CONNECTIONS_PER_ADDRESS_MAX=1000000
AUTH_REQUESTS_PER_ADDRESS=1000000 PASSWORD_SCRYPT_COST=10
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
  const listing = values.listing === undefined ? null : listingIn(values.listing);
  const targets = values.target?.split(',').map(addressOf) ?? listing?.targets ?? [];
  if (targets[0] === undefined) {
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
  const pods = Math.floor(number('pods', 1, 1));
  const wanted = Math.ceil(sockets / pods / SOCKETS_PER_PROCESS);
  const processes = Math.floor(number('processes', Math.min(availableParallelism(), wanted), 1));
  if (pods * processes > sockets) {
    throw new UsageError(`--sockets ${sockets} are too few for ${pods * processes} processes`);
  }
  return {
    targets,
    rest: values.rest === undefined ? (listing?.rest ?? targets[0]) : addressOf(values.rest),
    profile,
    sockets,
    conversations,
    members,
    steps: stepsOf(values, () => ({
      rate: number('rate', profile.rate, 0),
      duration: number('duration', 60, 1) * 1000,
    })),
    connectRate: number('connect-rate', 500, 1),
    processes,
    workers: pods * processes,
    ...podOf(values, pods, env),
    sourceAddresses: addressesIn(values['source-addresses']),
    secret: values.secret ?? (env.JWT_SECRET || null),
    servers: [...serversOf(values), ...(listing?.processes ?? [])],
    json: values.json,
    report: values.report ?? null,
  };
}

type Values = ReturnType<typeof parse>;

/** Where this pod stands among the others. */
function podOf(
  values: Values,
  pods: number,
  env: Readonly<Record<string, string | undefined>>,
): Pick<LoadOptions, 'pod' | 'meeting'> {
  if (pods === 1) {
    const token = randomBytes(TOKEN_MIN).toString('hex');
    const meeting = { coordinator: '', host: '127.0.0.1', port: 0, token, joinWithin: JOIN_WITHIN };
    return { pod: 0, meeting };
  }
  const pod = Number(values.pod ?? env.JOB_COMPLETION_INDEX ?? Number.NaN);
  if (!Number.isInteger(pod) || pod < 0 || pod >= pods) {
    throw new UsageError(`--pod (or JOB_COMPLETION_INDEX) must be 0 … ${pods - 1}`);
  }
  const coordinator = values.coordinator ?? '';
  const port = Number(/^[^:/]+:(\d+)$/.exec(coordinator)?.[1] ?? 0);
  if (port < 1 || port > 65_535) {
    throw new UsageError('--pods need --coordinator host:port');
  }
  const token = env.LOAD_TOKEN ?? '';
  if (Buffer.byteLength(token) < TOKEN_MIN) {
    throw new UsageError(`--pods need LOAD_TOKEN, of at least ${TOKEN_MIN} bytes`);
  }
  const host = values.listen ?? '0.0.0.0';
  return { pod, meeting: { coordinator, host, port, token, joinWithin: JOIN_WITHIN } };
}

function stepsOf(values: Values, single: () => Step): LoadOptions['steps'] {
  if (values.steps === undefined) {
    return [single()];
  }
  if (values.rate !== undefined || values.duration !== undefined) {
    throw new UsageError('--steps takes the place of --rate and --duration');
  }
  const duration = Number(values['step-seconds']) * 1000;
  const [first, ...others] = values.steps
    .split(',')
    .map((text) => ({ rate: Number(text), duration }));
  const all = [first, ...others];
  if (
    first === undefined ||
    all.some((step) => !(Number(step?.rate) >= 0)) ||
    !(duration >= 1000)
  ) {
    throw new UsageError('--steps takes rates, --step-seconds a number of at least 1');
  }
  return [first, ...others];
}

function serversOf(values: Values): ServerProcess[] {
  const pids = values['server-pids']?.split(',').map(Number) ?? [];
  if (pids.some((pid) => !Number.isInteger(pid) || pid < 1)) {
    throw new UsageError('--server-pids takes process ids');
  }
  const urls = values['server-metrics']?.split(',').map(addressOf) ?? [];
  return [
    ...pids.map((pid) => localProcess(`pid ${pid}`, pid)),
    ...urls.map((url) => remoteProcess(new URL(url).host, url)),
  ];
}

function addressesIn(text: string | undefined): string[] {
  const addresses = text?.split(',') ?? [];
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) {
    throw new UsageError(`--source-addresses: ${wrong} is no IP address`);
  }
  return addresses;
}

function listingIn(file: string): Listing {
  try {
    return readListing(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--listing ${file}: ${(error as Error).message}`);
  }
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
        steps: text,
        'step-seconds': { ...text, default: '10' },
        'connect-rate': text,
        processes: text,
        'source-addresses': text,
        listing: text,
        pods: text,
        pod: text,
        coordinator: text,
        listen: text,
        secret: text,
        'server-pids': text,
        'server-metrics': text,
        report: text,
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
