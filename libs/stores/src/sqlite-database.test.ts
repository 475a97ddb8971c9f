import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { directoryQueries } from './directory-store-sqlite.ts';
import { friendQueries } from './friend-store-sqlite.ts';
import { messageQueries } from './message-store-sqlite.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { statusQueries } from './status-store-sqlite.ts';
import { syncQueries } from './sync-store-sqlite.ts';
import { temporaryFolder } from './temporary-folder.fixture.ts';

let folder: ReturnType<typeof temporaryFolder>;
let database: SqliteDatabase;

beforeEach(() => {
  folder = temporaryFolder();
  database = openSqliteDatabase(folder.file('chat.sqlite'));
});
afterEach(() => {
  database.close();
  folder.remove();
});

test('commits go to the disk before they are confirmed', () => {
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
});

describe('query plans', () => {
  const queries = Object.entries({
    ...messageQueries,
    ...directoryQueries,
    ...friendQueries,
    ...statusQueries,
    ...syncQueries,
  });
  const planOf = (sql: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...Array.from(sql.matchAll(/\?/g), () => null))
      .map(({ detail }) => String(detail));

  test.each(queries)('%s reads an index only as far as it must', (_name, sql) => {
    const plan = planOf(sql);
    expect(plan).not.toEqual([]);
    for (const step of plan) {
      expect(step).toMatch(/^SEARCH \w+ USING (COVERING )?(INDEX|(INTEGER )?PRIMARY KEY)/);
    }
  });

  test('users who are online come out of an index that has no others', () => {
    expect(planOf(statusQueries.online)).toEqual([
      expect.stringMatching(
        /^SEARCH statuses USING (COVERING )?INDEX statuses_online \(user_id>\?\)/,
      ),
    ]);
  });
});

describe('writes', () => {
  const insert = (id: string) =>
    database.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?)').run(id, 'user', 'token', '', '')
      .changes;
  const stored = () =>
    database
      .prepare('SELECT id FROM sessions ORDER BY id')
      .all()
      .map(({ id }) => id);

  test('of one turn share a transaction, in order', async () => {
    let turns = 0;
    const turnOf: number[] = [];
    const writes = ['a', 'b', 'c'].map((id) =>
      database.write(() => {
        process.nextTick(() => {
          turns += 1;
        });
        turnOf.push(turns);
        insert(id);
        return id;
      }),
    );
    expect(stored()).toEqual([]);
    expect(await Promise.all(writes)).toEqual(['a', 'b', 'c']);
    expect(turnOf).toEqual([0, 0, 0]);
    expect(stored()).toEqual(['a', 'b', 'c']);
  });

  test('that throw take back their own changes only', async () => {
    const outcomes = await Promise.allSettled([
      database.write(() => insert('a')),
      database.write(() => {
        insert('b');
        throw new TypeError('a bug');
      }),
      database.write(() => {
        insert('c');
        insert('a');
      }),
      database.write(() => insert('d')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    expect(outcomes[1]).toMatchObject({ reason: { message: 'a bug' } });
    expect(stored()).toEqual(['a', 'd']);
  });

  test('all reject when the common commit fails, and nothing is stored', async () => {
    const outcomes = await Promise.allSettled([
      database.write(() => insert('a')),
      database.write(() => database.prepare('ROLLBACK').run()),
      database.write(() => insert('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(stored()).toEqual([]);
    await database.write(() => insert('c'));
    expect(stored()).toEqual(['c']);
  });

  test('are bounded: too many at once are refused', async () => {
    const writes = Array.from({ length: 10_001 }, (_, index) =>
      database.write(() => insert(String(index))),
    );
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10_000);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'UNAVAILABLE' } });
    expect(stored()).toHaveLength(10_000);
  });
});
