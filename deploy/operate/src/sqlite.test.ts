import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Message } from '@bambochat/protocol';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { uuidv7 } from 'uuidv7';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sqlite } from './sqlite-command.ts';

let folder: string;
let data: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bambochat-operate-'));
  data = join(folder, 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

async function operate(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await sqlite.run(args, { env: { DATA_DIR: data }, print: (line) => lines.push(line) });
  return lines;
}

const conversationId = uuidv7();
const message = (seq: number) =>
  ({
    _id: uuidv7(),
    conversationId,
    seq,
    senderId: 'alice',
    content: `message ${seq}`.padEnd(500, '.'),
    clientMessageId: uuidv7(),
    reactions: [],
    createdAt: new Date().toISOString(),
  }) as unknown as Message;

async function withStores<Result>(
  work: (stores: ReturnType<typeof openSqliteStores>) => Promise<Result>,
): Promise<Result> {
  const stores = openSqliteStores({ path: join(data, 'bambochat.sqlite') });
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
}

const write = (from: number, count: number) =>
  withStores(({ messageStore }) =>
    messageStore.insert(Array.from({ length: count }, (_, index) => message(from + index))),
  );
const newest = () =>
  withStores(
    async ({ messageStore }) =>
      (await messageStore.lastOf([conversationId as never])).get(conversationId as never)?.seq,
  );

async function startStandalone(): Promise<string> {
  const program = fileURLToPath(import.meta.resolve('@bambochat/standalone'));
  const child = spawn(process.execPath, [program, '--json'], {
    env: { ...process.env, DATA_DIR: data, PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    return JSON.parse(line).url;
  }
  throw new Error('standalone did not start');
}

describe('a copy of the database', () => {
  test('comes back as it was, and what it replaces is kept', async () => {
    await write(1, 20);
    const file = join(folder, 'backups', 'copy.sqlite');
    const [line] = await operate('backup', '--to', file);
    expect(line).toMatch(/whole, schema \d+, 20 messages/);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(readdirSync(join(folder, 'backups'))).toEqual(['copy.sqlite']);
    await write(21, 5);

    await expect(operate('restore', '--from', file)).rejects.toThrow(/only by force/);
    expect(await newest()).toBe(25);
    await operate('restore', '--from', file, '--force');
    expect(await newest()).toBe(20);
    const kept = readdirSync(data).filter((name) => name.includes('.replaced-'));
    expect(kept).toHaveLength(1);
    expect((await operate('check', join(data, kept[0] ?? '')))[0]).toContain('25 messages');
  });

  test('goes into an empty folder without force', async () => {
    await write(1, 3);
    const file = join(folder, 'copy.sqlite');
    await operate('backup', '--to', file);
    rmSync(data, { recursive: true });
    await operate('restore', '--from', file);
    expect(await newest()).toBe(3);
  });

  test('that is damaged, or of a newer version, is refused, and changes nothing', async () => {
    await write(1, 2000);
    const file = join(folder, 'copy.sqlite');
    await operate('backup', '--to', file);
    const damaged = join(folder, 'damaged.sqlite');
    const bytes = await import('node:fs/promises').then((fs) => fs.readFile(file));
    bytes.fill(0x5a, 40_000, 80_000);
    writeFileSync(damaged, bytes);
    await expect(operate('restore', '--from', damaged, '--force')).rejects.toThrow(/no whole/);
    writeFileSync(damaged, 'not a database at all');
    await expect(operate('check', damaged)).rejects.toThrow(/no whole database/);
    expect(await newest()).toBe(2000);
  });

  test('is made while it is written to, and has all that was confirmed before', async () => {
    await withStores(async (stores) => {
      let seq = 0;
      let stop = false;
      const writing = (async () => {
        while (!stop) {
          await stores.messageStore.insert([message(seq + 1)]);
          seq += 1;
        }
      })();
      for (let round = 1; round <= 5; round += 1) {
        const before = seq;
        const { messages } = await stores.backup(join(folder, 'live.sqlite'));
        expect(messages).toBeGreaterThanOrEqual(before);
        expect(messages).toBeLessThanOrEqual(seq + 1);
      }
      stop = true;
      await writing;
      expect(seq).toBeGreaterThan(5);
    });
  });
});

test('a standalone that runs makes the copy itself, and cannot be restored over', async () => {
  await write(1, 7);
  const file = join(folder, 'copy.sqlite');
  await startStandalone();
  expect((await operate('backup', '--to', file))[0]).toContain('7 messages');
  await expect(operate('restore', '--from', file, '--force')).rejects.toThrow(/in use/);
  await expect(operate('backup', '--to', '/dev/null/x')).rejects.toThrow(/could not make/);
});
