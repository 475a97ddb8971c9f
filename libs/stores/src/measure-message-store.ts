import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isTransient, type Message } from '@bambochat/protocol';
import { type CommandStartedEvent, type Document, MongoClient } from 'mongodb';
import type { MessageStore } from './message-store.ts';
import { createMongoMessageStore } from './message-store-mongo.ts';
import { messageQueries } from './message-store-sqlite.ts';
import { collectionsOf } from './mongo-collections.ts';
import { newConversationId, sampleMessage, sampleRun } from './sample-records.fixture.ts';

/**
 * Measures a message store and prints JSON, times in milliseconds, with how the server says it finds
 * a page:
 *
 *     node src/measure-message-store.ts [messages] [MongoDB URL]
 *
 * Without a URL: SQLite in a new temporary folder. With one: the database `bambochat-measure`,
 * which should be empty.
 */
const total = Number(process.argv[2] ?? 100_000);
const url = process.argv[3];
const PAGE = 50;
const FILL = 500;
const FILL_TRIES = 20;

interface Measured {
  readonly store: MessageStore;
  /** How the calls are answered: the steps of a plan, or keys and documents that were looked at. */
  explain(calls: Readonly<Record<string, () => Promise<unknown>>>): Promise<object>;
}

async function withSqlite(work: (measured: Measured) => Promise<void>): Promise<void> {
  const { openSqliteStores } = await import('./sqlite.ts');
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-measure-'));
  const path = join(folder, 'chat.sqlite');
  const { messageStore, close } = openSqliteStores({ path });
  const explain = async () => {
    // The file belongs to one connection at a time.
    await close();
    const database = new DatabaseSync(path, { readOnly: true });
    const planOf = (sql: string) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...Array.from(sql.matchAll(/\?/g), () => null))
        .map(({ detail }) => detail);
    const { pageForward, pageBackward } = messageQueries;
    const plans = { after: planOf(pageForward), before: planOf(pageBackward) };
    database.close();
    return plans;
  };
  await work({ store: messageStore, explain });
  await close();
  rmSync(folder, { recursive: true });
}

async function withMongo(
  address: string,
  work: (measured: Measured) => Promise<void>,
): Promise<void> {
  const { openMongoStores } = await import('./mongo.ts');
  const stores = await openMongoStores({ url: address, database: 'bambochat-measure' });
  const client = await MongoClient.connect(address, { monitorCommands: true });
  const database = client.db('bambochat-measure');
  const spied = createMongoMessageStore(collectionsOf(database), {
    check: async () => {},
    close: async () => {},
  });

  async function explainOne(call: () => Promise<unknown>): Promise<object[]> {
    const commands: Document[] = [];
    const listen = ({ commandName, command }: CommandStartedEvent) => {
      if (commandName === 'find') {
        const { find, filter, sort, limit } = command;
        commands.push({ find, filter, ...(sort && { sort }), ...(limit && { limit }) });
      }
    };
    client.on('commandStarted', listen);
    await call();
    client.off('commandStarted', listen);
    const explained = [];
    for (const explain of commands) {
      const answer = await database.command({ explain, verbosity: 'executionStats' });
      const stages = JSON.stringify(answer.queryPlanner).matchAll(/"stage":"(\w+)"/g);
      const { totalKeysExamined, totalDocsExamined, nReturned } = answer.executionStats;
      explained.push({
        find: explain.find,
        stages: Array.from(stages, ([, stage]) => stage).join(' < '),
        keys: totalKeysExamined,
        documents: totalDocsExamined,
        returned: nReturned,
      });
    }
    return explained;
  }

  await work({
    store: stores.messageStore,
    explain: async (calls) => {
      current = spied;
      const plans: Record<string, object> = {};
      for (const [name, call] of Object.entries(calls)) {
        plans[name] = await explainOne(call);
      }
      return plans;
    },
  });
  await client.close();
  await stores.close();
}

async function timesOf(rounds: number, call: (round: number) => Promise<unknown>) {
  const times: number[] = [];
  const begin = performance.now();
  const cpu = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    const start = performance.now();
    await call(round);
    times.push(performance.now() - start);
  }
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  const at = (share: number) => Number(times[Math.floor(rounds * share)]?.toFixed(3));
  return {
    perSecond: Math.round((rounds * 1000) / (performance.now() - begin)),
    p50: at(0.5),
    p99: at(0.99),
    cpu: Number(((user + system) / 1000 / rounds).toFixed(3)),
  };
}

/** A slow server may not answer in time: what it has taken already is not taken twice. */
async function insertPatiently(store: MessageStore, messages: readonly Message[]): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await store.insert([...messages]);
      return;
    } catch (error) {
      if (tries === FILL_TRIES || !isTransient(error)) {
        throw error;
      }
    }
  }
}

/** The one that pages are read through. */
let current: MessageStore;

async function measure({ store, explain }: Measured): Promise<void> {
  current = store;
  const id = newConversationId();
  const filled = Math.min(500, total / PAGE);
  const fill = await timesOf(filled, (round) =>
    store.insert(sampleRun(id, round * PAGE + 1, (round + 1) * PAGE)),
  );
  // The rest quickly: it is there to be in the way.
  for (let last = filled * PAGE; last < total; last += FILL) {
    await insertPatiently(store, sampleRun(id, last + 1, Math.min(last + FILL, total)));
  }
  const other = newConversationId();
  let seq = 0;
  const one = await timesOf(500, () => {
    seq += 1;
    return store.insert([sampleMessage({ conversationId: other, seq })]);
  });
  const twentyAtOnce = await timesOf(100, () =>
    Promise.all(Array.from({ length: 20 }, () => store.insert([sampleMessage()]))),
  );
  const middle = (round: number) => Math.floor(((round * 7919) % total) + 1);
  const page = {
    newest: () => current.page(id, { limit: PAGE }),
    before: (round = 1) => current.page(id, { before: middle(round), limit: PAGE }),
    after: (round = 1) => current.page(id, { after: middle(round), limit: PAGE }),
  };
  const pages = {
    newest: await timesOf(1000, page.newest),
    before: await timesOf(1000, page.before),
    after: await timesOf(1000, page.after),
  };
  const half = Math.floor(total / 2);
  const plans = await explain({
    newest: () => page.newest(),
    before: () => current.page(id, { before: half, limit: PAGE }),
    after: () => current.page(id, { after: half, limit: PAGE }),
  });
  const report = {
    store: url ? 'MongoDB' : 'SQLite',
    messages: total,
    'insert of 50': fill,
    'insert of 1': one,
    'twenty inserts of 1 at once': twentyAtOnce,
    'page of 50': pages,
    plans,
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

await (url === undefined ? withSqlite(measure) : withMongo(url, measure));
