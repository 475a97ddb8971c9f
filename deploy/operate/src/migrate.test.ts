import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { startBackends } from '@bambochat/testing';
import { MongoClient } from 'mongodb';
import { uuidv7 } from 'uuidv7';
import { expect, test } from 'vitest';
import { migrate } from './migrate-command.ts';

async function operate(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await migrate.run(args, { env, print: (line) => lines.push(line) });
  return lines;
}

test('MongoDB: a dry run changes nothing, a run is recorded, a second one is none', async () => {
  const backends = await startBackends({ names: ['mongodb'] });
  const url = new URL(backends.mongodb.url);
  url.pathname = `/operate-${uuidv7()}`;
  const env = { MONGODB_URL: url.href };
  const client = await MongoClient.connect(url.href);
  const database = client.db(url.pathname.slice(1));
  try {
    expect(await operate(env, '--dry-run')).toEqual(['pending:', expect.stringMatching(/^1 \(/)]);
    expect(await database.listCollections().toArray()).toEqual([]);
    expect((await operate(env)).at(-1)).toBe('done');
    const indexes = await database.collection('messages').indexes();
    expect(indexes.map(({ name }) => name)).toContain('conversation_seq');
    expect(await operate(env)).toEqual(['nothing was pending']);
    expect(await operate(env, '--dry-run')).toEqual(['nothing is pending']);
  } finally {
    await database.dropDatabase();
    await client.close();
    await backends.stop();
  }
});

test('SQLite: opening is migrating, and what is in use is left alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bambochat-operate-'));
  const env = { DATA_DIR: folder };
  try {
    await expect(operate(env, '--sqlite')).rejects.toThrow(/no database/);
    const stores = openSqliteStores({ path: join(folder, 'bambochat.sqlite') });
    await expect(operate(env, '--sqlite')).rejects.toThrow(/in use/);
    await stores.close();
    expect((await operate(env, '--sqlite'))[0]).toContain('up to date');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
