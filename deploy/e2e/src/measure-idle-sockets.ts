import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { waitFor } from '@bambochat/testing';
import { IdleSockets } from './idle-sockets.ts';
import { type Program, startProgram } from './program.ts';
import {
  type Counts,
  difference,
  type Meter,
  mongoMeter,
  natsMeter,
  processMeter,
  redisMeter,
  total,
} from './traffic-meters.ts';

const usage = `Usage: npm run measure:idle -w @bambochat/e2e -- [options]

Holds idle sockets, of as many users, and measures what the deployment does meanwhile.

  --sockets N,N             how many, one measurement after the other (default 1000,20000)
  --seconds N               length of a measurement (default 30)
  --gateways N              of the stack that is started (default 2)
  --presence-services N     of the stack that is started (default 2)
  --gateway-urls URL,URL    measure a deployment that runs; needs also JWT_SECRET, REDIS_URL,
                            NATS_URL and MONGODB_URL in the environment
  --presence-urls URL,URL   its presence-services, for their CPU time
  --json                    print one object instead of a table
`;

/** Milliseconds. */
const WINDOW = 5000;
const QUIET_WITHIN = 600_000;
/** What a window may differ from the one before, to be quiet: so many a second and a fifth. */
const UNREST = 10;

interface Deployment extends AsyncDisposable {
  readonly gatewayUrls: readonly string[];
  readonly presenceUrls: readonly string[];
  readonly secret: string;
  readonly redisUrl: string;
  readonly natsUrl: string;
  readonly mongodbUrl: string;
}

/** What a number of idle sockets costs. Rates are per second. */
interface Measurement {
  readonly sockets: number;
  /** Handshakes a second while they were opened. */
  readonly connectRate: number;
  /** Seconds from the last handshake until all that it caused was done. */
  readonly settling: number;
  /** Commands called by scripts included. */
  readonly redisCommands: number;
  readonly natsMessages: number;
  /** Null: the server does not count them. */
  readonly mongodbOperations: number | null;
  /** CPU seconds a second, of all processes of the kind together. */
  readonly gatewayCpu: number;
  readonly presenceCpu: number;
  /** Bytes of resident memory of all gateways. */
  readonly gatewayMemory: number;
  /** The same rates by command, by subject and by kind of operation. */
  readonly byKind: Readonly<Record<'redis' | 'nats' | 'mongodb', Record<string, number>>>;
}

// What this process has started ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({
    strict: true,
    options: {
      sockets: { type: 'string', default: '1000,20000' },
      seconds: { type: 'string', default: '30' },
      gateways: { type: 'string', default: '2' },
      'presence-services': { type: 'string', default: '2' },
      'gateway-urls': { type: 'string' },
      'presence-urls': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const steps = values.sockets.split(',').map(Number);
  const seconds = Number(values.seconds);
  if (!(seconds > 0) || steps.some((step, index) => !(step > (steps[index - 1] ?? 0)))) {
    process.stderr.write(`--sockets takes rising numbers, --seconds a positive one\n\n${usage}`);
    return 64;
  }
  await using deployment =
    values['gateway-urls'] === undefined
      ? await startStack(values.gateways, values['presence-services'])
      : givenDeployment(values['gateway-urls'], values['presence-urls'] ?? '');
  const measurements = await measureAll(deployment, steps, seconds * 1000);
  process.stdout.write(
    values.json ? `${JSON.stringify({ seconds, measurements })}\n` : tableOf(measurements),
  );
  return 0;
}

async function startStack(gateways: string, presenceServices: string): Promise<Deployment> {
  note('starting the stack');
  const secret = randomBytes(48).toString('base64url');
  const program: Program = await startProgram(
    'deploy/stack/src/main.ts',
    [
      ['--gateways', gateways],
      ['--presence-services', presenceServices],
      ['--port', '0'],
      ['--json'],
    ].flat(),
    { JWT_SECRET: secret, LOG_LEVEL: 'warn' },
  );
  const listed = (kind: string) => (program.ready[kind] as { url: string }[]).map(({ url }) => url);
  const backends = program.ready.backends as Record<string, { url: string }>;
  // Addresses are listed without credentials: what was given is used as it was given.
  const address = (name: string) =>
    process.env[`${name.toUpperCase()}_URL`] || (backends[name]?.url ?? '');
  return {
    gatewayUrls: listed('gateways'),
    presenceUrls: listed('presenceServices'),
    secret,
    redisUrl: address('redis'),
    natsUrl: address('nats'),
    mongodbUrl: address('mongodb'),
    async [Symbol.asyncDispose]() {
      await program.stop();
    },
  };
}

function givenDeployment(gatewayUrls: string, presenceUrls: string): Deployment {
  const needed = (name: string) => {
    const value = process.env[name];
    if (!value) {
      throw new Error(`${name} must be set to measure a deployment that runs`);
    }
    return value;
  };
  return {
    gatewayUrls: gatewayUrls.split(','),
    presenceUrls: presenceUrls === '' ? [] : presenceUrls.split(','),
    secret: needed('JWT_SECRET'),
    redisUrl: needed('REDIS_URL'),
    natsUrl: needed('NATS_URL'),
    mongodbUrl: needed('MONGODB_URL'),
    async [Symbol.asyncDispose]() {},
  };
}

async function measureAll(
  deployment: Deployment,
  steps: readonly number[],
  duration: number,
): Promise<Measurement[]> {
  await using redis = await redisMeter(deployment.redisUrl);
  await using nats = await natsMeter(deployment.natsUrl);
  await using mongodb = await mongoMeter(deployment.mongodbUrl);
  const gateways = processMeter(deployment.gatewayUrls);
  const presence = processMeter(deployment.presenceUrls);
  using sockets = new IdleSockets({
    urls: deployment.gatewayUrls,
    secret: deployment.secret,
    issuer: process.env.JWT_ISSUER || 'bambochat',
    audience: process.env.JWT_AUDIENCE || 'bambochat',
  });

  const measurements: Measurement[] = [];
  for (const step of steps) {
    const before = sockets.open;
    note(`opening sockets up to ${step}`);
    const rampedFrom = performance.now();
    await sockets.growTo(step);
    const openedAt = performance.now();
    const connectRate = ((step - before) * 1000) / (openedAt - rampedFrom);
    note(`${connectRate.toFixed(0)} handshakes a second; waiting for quiet`);
    await awaitQuiet([redis, nats, ...(mongodb === null ? [] : [mongodb])], () =>
      presence.sum('bambochat_presence_pending_transitions'),
    );
    const settling = (performance.now() - openedAt) / 1000;

    note(`measuring ${duration / 1000} s with ${step} sockets`);
    const sample = async () => ({
      at: performance.now(),
      redis: await redis.read(),
      nats: await nats.read(),
      mongodb: (await mongodb?.read()) ?? {},
      gatewayCpu: await gateways.sum('process_cpu_seconds_total'),
      presenceCpu: await presence.sum('process_cpu_seconds_total'),
    });
    const first = await sample();
    await passes(duration);
    const last = await sample();
    const connections = await gateways.sum('bambochat_connections');
    if (sockets.open !== step || connections < step) {
      throw new Error(`Of ${step} sockets ${sockets.open} are open; gateways say ${connections}`);
    }
    const elapsed = (last.at - first.at) / 1000;
    const rate = (before: number, after: number) => (after - before) / elapsed;
    const rates = (before: Counts, after: Counts) =>
      Object.fromEntries(
        Object.entries(difference(before, after)).map(([name, count]) => [name, count / elapsed]),
      );
    const byKind = {
      redis: rates(first.redis, last.redis),
      nats: rates(first.nats, last.nats),
      mongodb: rates(first.mongodb, last.mongodb),
    };
    measurements.push({
      sockets: step,
      connectRate,
      settling,
      redisCommands: total(byKind.redis),
      natsMessages: total(byKind.nats),
      mongodbOperations: mongodb === null ? null : total(byKind.mongodb),
      gatewayCpu: rate(first.gatewayCpu, last.gatewayCpu),
      presenceCpu: rate(first.presenceCpu, last.presenceCpu),
      gatewayMemory: await gateways.sum('process_resident_memory_bytes'),
      byKind,
    });
  }
  return measurements;
}

/** Until nothing waits to be announced and two windows in a row are alike. */
async function awaitQuiet(meters: readonly Meter[], pending: () => Promise<number>): Promise<void> {
  const read = () => Promise.all(meters.map(async (meter) => total(await meter.read())));
  let counts = await read();
  let before = meters.map(() => Number.POSITIVE_INFINITY);
  await waitFor(
    async () => {
      await passes(WINDOW);
      const now = await read();
      const rates = now.map((count, index) => ((count - (counts[index] ?? 0)) * 1000) / WINDOW);
      const alike = rates.every(
        (rate, index) => Math.abs(rate - (before[index] ?? 0)) < UNREST + rate / 5,
      );
      counts = now;
      before = rates;
      return alike && (await pending()) === 0;
    },
    { timeout: QUIET_WITHIN, interval: 1, describe: 'the deployment to come to rest' },
  );
}

async function passes(duration: number): Promise<void> {
  const until = performance.now() + duration;
  await waitFor(() => performance.now() >= until, { timeout: duration + 10_000, interval: 50 });
}

function tableOf(measurements: readonly Measurement[]): string {
  const number = (value: number, digits = 1) => value.toFixed(digits);
  const rows: [string, ...string[]][] = [
    ['idle sockets', ...measurements.map(({ sockets }) => String(sockets))],
    ['Redis commands/s', ...measurements.map((one) => number(one.redisCommands))],
    ['NATS messages/s', ...measurements.map((one) => number(one.natsMessages))],
    [
      'MongoDB operations/s',
      ...measurements.map(({ mongodbOperations }) =>
        mongodbOperations === null ? 'not counted' : number(mongodbOperations),
      ),
    ],
    ['gateways, CPU s/s', ...measurements.map((one) => number(one.gatewayCpu, 3))],
    ['presence-services, CPU s/s', ...measurements.map((one) => number(one.presenceCpu, 3))],
    ['gateways, MiB', ...measurements.map((one) => number(one.gatewayMemory / 2 ** 20, 0))],
    ['handshakes/s before', ...measurements.map((one) => number(one.connectRate, 0))],
    ['seconds until quiet', ...measurements.map((one) => number(one.settling, 0))],
  ];
  for (const [title, key] of [
    ['Redis', 'redis'],
    ['NATS', 'nats'],
    ['MongoDB', 'mongodb'],
  ] as const) {
    const names = new Set(measurements.flatMap(({ byKind }) => Object.keys(byKind[key])));
    for (const name of [...names].sort()) {
      rows.push([
        `  ${title} ${name}`,
        ...measurements.map(({ byKind }) => number(byKind[key][name] ?? 0)),
      ]);
    }
  }
  const widths = (rows[0] ?? []).map((_cell, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2),
      )
      .join(''),
  );
  return `${lines.join('\n')}\n`;
}

/** How far it is, where it does not mix with the result. */
function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
