import type { Collection, Db, MongoClient } from 'mongodb';

/** Documents shaped like the messages that the application stores. */
export interface Item {
  _id: string;
  conversationId: string;
  seq: number;
  senderId: string;
  clientMessageId: string;
  content: string;
  createdAt?: Date;
}

export interface Context {
  readonly url: string;
  readonly client: MongoClient;
  readonly db: Db;
  /** A collection of its own for each check. */
  collection(name: string): Collection<Item>;
}

/** What a check found out: `true` or a text is "as MongoDB does", a throw is a difference. */
export interface Check {
  readonly name: string;
  run(context: Context): Promise<string | true>;
}

export interface CheckResult {
  readonly name: string;
  readonly same: boolean;
  readonly detail: string;
}

export function expect(condition: unknown, message: string): asserts condition {
  if (!condition) {
    throw new Error(message);
  }
}

/** Compares by JSON, with the values in the message. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  expect(left === right, `${what}: ${left?.slice(0, 200)} instead of ${right?.slice(0, 200)}`);
}

export function item(conversationId: string, seq: number, overrides: Partial<Item> = {}): Item {
  return {
    _id: `${conversationId}-${String(seq).padStart(9, '0')}`,
    conversationId,
    seq,
    senderId: `user-${seq % 7}`,
    clientMessageId: `client-${seq}`,
    content: `message ${seq} `.padEnd(120, '.'),
    ...overrides,
  };
}

/** The unique indexes that fence the message store. */
export async function createMessageIndexes(collection: Collection<Item>): Promise<string[]> {
  return collection.createIndexes([
    { key: { conversationId: 1, seq: 1 }, name: 'conversation_seq', unique: true },
    {
      key: { conversationId: 1, senderId: 1, clientMessageId: 1 },
      name: 'client_message',
      unique: true,
    },
  ]);
}

/** Runs one check; no answer within `limit` ms is a difference too. */
export async function runCheck(
  check: Check,
  context: Context,
  limit: number,
): Promise<CheckResult> {
  const { name } = check;
  const timer = new AbortController();
  try {
    const detail = await Promise.race([check.run(context), deadline(limit, timer.signal)]);
    return { name, same: true, detail: detail === true ? '' : detail };
  } catch (error) {
    const [detail = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { name, same: false, detail };
  } finally {
    timer.abort();
  }
}

function deadline(limit: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${limit} ms`)), limit);
    signal.addEventListener('abort', () => clearTimeout(timer));
  });
}
