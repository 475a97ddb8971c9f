/*
 * Compares a MongoDB-protocol server with MongoDB, for what our queries need, and measures it:
 *   node src/compare-mongodb-servers.ts                     the server that `startBackends` chooses
 *   node src/compare-mongodb-servers.ts --url mongodb://…   a running one; it is not killed or paused
 *   node src/compare-mongodb-servers.ts --run '/path/server --port {port} --data {folder}'
 * Options: --json, --no-checks, --no-measurements, --fill-time <ms> (default 60,000: time to fill
 * up to 100,000 and again up to 1,000,000 messages). It writes to the databases compare and measure.
 */
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import type { Backend } from './backend.ts';
import { useExternalBackend } from './external-backend.ts';
import { startLocalBackend } from './local-backend.ts';
import type { Check, CheckResult, Context, Item } from './mongodb-comparison/check.ts';
import { runCheck } from './mongodb-comparison/check.ts';
import { faultChecks, processChecks } from './mongodb-comparison/fault-checks.ts';
import { indexChecks } from './mongodb-comparison/index-checks.ts';
import { readChecks } from './mongodb-comparison/read-checks.ts';
import { measureThroughput } from './mongodb-comparison/throughput.ts';
import { writeChecks } from './mongodb-comparison/write-checks.ts';
import { startBackends } from './start-backends.ts';

const checkLimit = 120_000;

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    url: { type: 'string' },
    run: { type: 'string' },
    json: { type: 'boolean', default: false },
    checks: { type: 'boolean', default: true },
    measurements: { type: 'boolean', default: true },
    'fill-time': { type: 'string', default: '60000' },
  },
});

async function startServer(): Promise<Backend> {
  if (options.url) {
    return useExternalBackend('mongodb', options.url);
  }
  if (!options.run) {
    return (await startBackends({ names: ['mongodb'], own: true })).mongodb;
  }
  const [file = '', ...args] = options.run.split(' ');
  return startLocalBackend({
    name: 'mongodb',
    source: `mongodb: ${options.run}`,
    url: (port) => `mongodb://127.0.0.1:${port}/?directConnection=true`,
    command: (port, folder) => ({
      file,
      args: args.map((arg) => arg.replace('{port}', String(port)).replace('{folder}', folder)),
    }),
  });
}

async function inDatabase<T>(url: string, name: string, work: (context: Context) => Promise<T>) {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 });
  try {
    const db = client.db(name);
    await db.dropDatabase();
    return await work({ url, client, db, collection: (of) => db.collection<Item>(of) });
  } finally {
    await client.close();
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const server = await startServer();
try {
  const buildInfo = await inDatabase(server.url, 'compare', ({ db }) =>
    db.command({ buildInfo: 1 }),
  );
  if (!options.json) {
    print(`${server.source}\nIt says that it is MongoDB ${String(buildInfo.version)}.\n`);
  }

  const results: CheckResult[] = [];
  if (options.checks) {
    const checks: readonly Check[] = [
      ...writeChecks,
      ...readChecks,
      ...indexChecks,
      ...processChecks,
      ...(options.url ? [] : faultChecks(server)),
    ];
    await inDatabase(server.url, 'compare', async (context) => {
      for (const check of checks) {
        const result = await runCheck(check, context, checkLimit);
        results.push(result);
        if (!options.json) {
          const detail = result.detail ? `: ${result.detail.slice(0, 160)}` : '';
          print(`${result.same ? 'same   ' : 'DIFFERS'} ${result.name}${detail}`);
        }
      }
    });
  }

  const measurements = options.measurements
    ? await inDatabase(server.url, 'measure', (context) =>
        measureThroughput(context, server.pid, Number(options['fill-time'])),
      )
    : [];
  if (options.json) {
    print(JSON.stringify({ server: server.source, buildInfo, results, measurements }, null, 2));
  } else {
    print(`\n${results.filter((one) => one.same).length} of ${results.length} checks as MongoDB\n`);
    for (const { name, operationsPerSecond, p50, p99, serverCpu } of measurements) {
      const cpu = serverCpu === null ? '' : `, ${serverCpu} ms of CPU`;
      print(`${name}: ${operationsPerSecond}/s, p50 ${p50} ms, p99 ${p99} ms${cpu}`);
    }
  }
} finally {
  await server.stop();
}
