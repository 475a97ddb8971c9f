import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageStore } from './message-store.ts';
import { newConversationId, sampleMessage, sampleRun } from './sample-records.fixture.ts';

/**
 * Measures a message store and prints JSON, times in milliseconds:
 *
 *     node src/measure-message-store.ts [messages] [MongoDB URL]
 *
 * Without a URL: SQLite in a new temporary folder. With one: the database `bambochat-measure`,
 * which should be empty.
 */
const total = Number(process.argv[2] ?? 100_000);
const url = process.argv[3];

async function withStore(work: (store: MessageStore) => Promise<void>): Promise<void> {
  if (url) {
    const { openMongoStores } = await import('./mongo.ts');
    const { messageStore, close } = await openMongoStores({ url, database: 'bambochat-measure' });
    await work(messageStore).finally(close);
    return;
  }
  const { openSqliteStores } = await import('./sqlite.ts');
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-measure-'));
  const { messageStore, close } = openSqliteStores({ path: join(folder, 'chat.sqlite') });
  await work(messageStore).finally(close);
  rmSync(folder, { recursive: true });
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

await withStore(async (store) => {
  const id = newConversationId();
  const batch = 50;
  const fill = await timesOf(total / batch, (round) =>
    store.insert(sampleRun(id, round * batch + 1, (round + 1) * batch)),
  );
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
  const pages = {
    newest: await timesOf(1000, () => store.page(id, { limit: 50 })),
    before: await timesOf(1000, (round) => store.page(id, { before: middle(round), limit: 50 })),
    after: await timesOf(1000, (round) => store.page(id, { after: middle(round), limit: 50 })),
  };
  const report = {
    store: url ? 'MongoDB' : 'SQLite',
    messages: total,
    'insert of 50': fill,
    'insert of 1': one,
    'twenty inserts of 1 at once': twentyAtOnce,
    'page of 50': pages,
  };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
});
