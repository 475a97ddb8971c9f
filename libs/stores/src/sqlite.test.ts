import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from './friend-pair.fixture.ts';
import { createSqliteMessageStore } from './message-store-sqlite.ts';
import {
  clientId,
  newConversationId,
  newUserId,
  sampleAccount,
  sampleMessage,
  sampleProposal,
  sampleRun,
  sampleSession,
  sampleStatus,
} from './sample-records.fixture.ts';
import { openSqliteStores, type SqliteStores } from './sqlite.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { schemaSteps } from './sqlite-schema.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

let folder: ReturnType<typeof temporaryFolder>;
let path: string;
const open: SqliteStores[] = [];

function openStores(): SqliteStores {
  const stores = openSqliteStores({ path });
  open.push(stores);
  return stores;
}

beforeEach(() => {
  folder = temporaryFolder();
  path = folder.file('data/chat.sqlite');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stores) => stores.close()));
  folder.remove();
});

describe('the file', () => {
  test('is for its owner only, as is the folder made for it', () => {
    openStores();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(folder.file('data')).mode & 0o777).toBe(0o700);
  });

  test('keeps everything when it is closed and opened again', async () => {
    const first = openStores();
    const messages = sampleRun(newConversationId(), 1, 3);
    const account = sampleAccount();
    await first.messageStore.insert(messages);
    await first.directoryStore.createAccount(account);
    const [a, b] = [newUserId(), newUserId()];
    await first.friendStore.block(sampleProposal(a, b));
    const status = sampleStatus({ userId: a });
    await first.statusStore.record([status]);
    await first.close();
    const second = openStores();
    const [message] = messages;
    expect(
      await second.messageStore.page(message?.conversationId ?? newConversationId(), { limit: 9 }),
    ).toEqual(messages);
    expect(await second.directoryStore.account(account._id)).toEqual(account);
    const { friendStore, statusStore } = second;
    expect(await stateOf([friendStore, friendStore], a, b)).toEqual({ is: 'blocked', by: [a] });
    expect(await statusStore.statusesOf([a])).toEqual(new Map([[a, status]]));
  });

  test.each(schemaSteps.map((_, index) => index))(
    'that has taken %i steps takes the others',
    async (taken) => {
      openSqliteDatabase(path).close();
      const old = folder.file('old.sqlite');
      const database = new DatabaseSync(old);
      database.exec(schemaSteps.slice(0, taken).join(''));
      if (taken > 0) {
        database.exec("INSERT INTO sessions VALUES ('kept', 'user', 'token', '2026', '2999')");
      }
      database.exec(`PRAGMA user_version = ${taken}`);
      database.close();
      const tables = (file: string) => {
        const upgraded = openSqliteDatabase(file);
        const found = upgraded.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all();
        const kept = upgraded.prepare('SELECT id FROM sessions').all();
        upgraded.close();
        return { found, kept };
      };
      const upgraded = tables(old);
      expect(upgraded.found).toEqual(tables(path).found);
      expect(upgraded.kept).toEqual(taken > 0 ? [{ id: 'kept' }] : []);
    },
  );

  test('can be opened once only, and the error says why', async () => {
    const first = openStores();
    expect(() => openSqliteStores({ path })).toThrow(/in use by another process/);
    const program = fileURLToPath(new URL('./insert-until-killed.fixture.ts', import.meta.url));
    const other = spawnSync(process.execPath, [program, path], { encoding: 'utf8' });
    expect(other.status).toBe(1);
    expect(other.stderr).toMatch(/chat\.sqlite is in use by another process/);
    await first.close();
    openStores();
  });

  test('of a newer version is refused and left as it is', async () => {
    const database = openSqliteDatabase(path);
    database.prepare('PRAGMA user_version = 99').run();
    database.close();
    expect(() => openSqliteStores({ path })).toThrow(/newer version of BamboChat \(schema 99/);
  });
});

describe('closing', () => {
  test('commits what waits and refuses what comes later', async () => {
    const { messageStore, close } = openStores();
    const message = sampleMessage();
    const inserting = messageStore.insert([message]);
    await close();
    expect(await inserting).toEqual({ inserted: 1 });
    const late = { code: 'UNAVAILABLE' };
    await expect(messageStore.insert([sampleMessage()])).rejects.toMatchObject(late);
    await expect(messageStore.page(message.conversationId, { limit: 1 })).rejects.toMatchObject(
      late,
    );
    await expect(messageStore.check()).rejects.toMatchObject(late);
    const reopened = openStores();
    expect(await reopened.messageStore.page(message.conversationId, { limit: 1 })).toEqual([
      message,
    ]);
  });

  test('some stores leaves the others at work', async () => {
    const stores = openStores();
    const { messageStore, directoryStore, friendStore, statusStore, syncStore } = stores;
    await messageStore.close();
    await messageStore.close();
    await friendStore.close();
    expect(await directoryStore.createAccount(sampleAccount())).toBe(true);
    await directoryStore.close();
    await expect(statusStore.check()).resolves.toBeUndefined();
    await statusStore.close();
    await syncStore.close();
    for (const store of [messageStore, directoryStore, friendStore, statusStore, syncStore]) {
      await expect(store.check()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
  });
});

describe('durability', () => {
  test('nothing confirmed is lost by kill -9', async () => {
    const conversationIds = [newConversationId(), newConversationId(), newConversationId()];
    for (const confirmationsBeforeKill of [1, 40, 150, 77]) {
      const confirmed = await insertUntilKilled(path, conversationIds, confirmationsBeforeKill);
      const { messageStore, close } = openSqliteStores({ path });
      for (const conversationId of conversationIds) {
        const page = await messageStore.page(conversationId, { after: 0, limit: 10_000 });
        const seqs = page.map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, index) => index + 1));
        expect(seqs.length).toBeGreaterThanOrEqual(confirmed.get(conversationId) ?? 0);
        const head = (await messageStore.heads([conversationId])).get(conversationId);
        expect(head?.lastSeq ?? 0).toBe(seqs.length);
      }
      await close();
    }
  });

  test('a full disk rejects with UNAVAILABLE, stores nothing by halves, and recovers', async () => {
    const database = openSqliteDatabase(path);
    const limitPages = (pages: number) =>
      database.prepare(`PRAGMA max_page_count = ${pages}`).get();
    const messageStore = createSqliteMessageStore(database, async () => database.close());
    limitPages(60);
    const id = newConversationId();
    let stored = 0;
    let failure: unknown;
    while (failure === undefined && stored < 1000) {
      const batch = sampleRun(id, stored + 1, stored + 5, { content: 'x'.repeat(4000) });
      try {
        stored += (await messageStore.insert(batch)).inserted;
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toMatchObject({ code: 'UNAVAILABLE' });
    expect(await messageStore.page(id, { after: 0, limit: 1000 })).toHaveLength(stored);
    expect((await messageStore.heads([id])).get(id)?.lastSeq).toBe(stored);
    limitPages(1_000_000);
    expect(await messageStore.insert(sampleRun(id, stored + 1, stored + 5))).toEqual({
      inserted: 5,
    });
    await messageStore.close();
  });
});

test('sessions that have expired are deleted as new ones come', async () => {
  const { directoryStore, close } = openStores();
  const expiresAt = new Date(Date.now() - 1000).toISOString();
  for (let count = 0; count < 5; count += 1) {
    await directoryStore.createSession(sampleSession({ expiresAt }));
  }
  const live = sampleSession();
  await directoryStore.createSession(live);
  await close();
  const database = openSqliteDatabase(path);
  expect(database.prepare('SELECT id FROM sessions').all()).toEqual([{ id: live._id }]);
  database.close();
});

test('a message that breaks no unique key but the rules of a column is an error of its own', async () => {
  const { messageStore } = openStores();
  const broken = { ...sampleMessage(), seq: null as unknown as number };
  const good = sampleMessage({ clientMessageId: clientId('good') });
  const [first, second] = await Promise.allSettled([
    messageStore.insert([sampleMessage(), broken]),
    messageStore.insert([good]),
  ]);
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'ERR_SQLITE_ERROR' } });
  expect(second).toEqual({ status: 'fulfilled', value: { inserted: 1 } });
});

/** @returns the last confirmed `seq` of each conversation at the time of the kill. */
async function insertUntilKilled(
  file: string,
  conversationIds: readonly string[],
  confirmations: number,
): Promise<Map<string, number>> {
  const program = fileURLToPath(new URL('./insert-until-killed.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [program, file, ...conversationIds], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const confirmed = new Map<string, number>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [conversationId = '', seq] = line.split(' ');
    confirmed.set(conversationId, Number(seq));
    count += 1;
    if (count === confirmations) {
      child.kill('SIGKILL');
    }
  }
  const [, signal] = await exited;
  expect(signal).toBe('SIGKILL');
  return confirmed;
}
