import { setTimeout as delay } from 'node:timers/promises';
import { unavailable } from '@bambochat/protocol';
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import { createIndexes } from './mongo-collections.ts';
import { isTransientMongoError, speakingToMongo } from './mongo-errors.ts';
import { assertNotContracted } from './mongo-migrations.ts';

export interface MongoOptions {
  readonly url: string;
  /** Default: the path of the URL, else `bambochat`. */
  readonly database?: string;
  /** For how long the start waits for the server. Milliseconds, default 15,000. */
  readonly connectTimeout?: number;
  /** Connections of this process; the driver's default is 100. */
  readonly maxPoolSize?: number;
}

export interface MongoDatabase {
  readonly database: Db;
  /** For metrics. */
  figures(): MongoFigures;
  /** @throws AppError `UNAVAILABLE` when the server does not answer within 3 s. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The driver's connection pools; counts are since the start. */
export interface MongoFigures {
  /** Connections for operations that are open, and those that one has now. */
  readonly connections: number;
  readonly inUse: number;
  /** Operations that got no connection in time. */
  readonly checkoutFailures: number;
  /** Times that all connections to a server were given up. */
  readonly poolsCleared: number;
  readonly heartbeatFailures: number;
}

/** How long the server may work on one read. Milliseconds. */
export const READ_TIMEOUT = 5000;

const DEFAULT_DATABASE = 'bambochat';
const CONNECT_TIMEOUT = 15_000;
const CONNECT_PAUSE = 250;
const CHECK_TIMEOUT = 3000;

/**
 * Connects, and creates the indexes that are missing: on large collections let `npm run operate --
 * migrate` make them before.
 *
 * @throws Error when the URL is not valid, when the server cannot be reached within
 * `connectTimeout`, refuses the credentials, was migrated past what this version can use, or holds an
 * index that contradicts ours. The message
 * names the server, never the credentials.
 */
export async function openMongoDatabase(options: MongoOptions): Promise<MongoDatabase> {
  const client = createClient(options);
  const figures = watchPools(client);
  const name = options.database ?? databaseInUrl(options.url) ?? DEFAULT_DATABASE;
  const database = client.db(name);
  const timeout = options.connectTimeout ?? CONNECT_TIMEOUT;
  const deadline = performance.now() + timeout;
  while (true) {
    try {
      await client.connect();
      await assertNotContracted(database);
      await createIndexes(database);
      break;
    } catch (error) {
      const isTransient = isTransientMongoError(error);
      if (!isTransient || performance.now() + CONNECT_PAUSE > deadline) {
        await client.close();
        throw startError(addressOf(client, name), error, isTransient ? timeout : undefined);
      }
      await delay(CONNECT_PAUSE);
    }
  }
  return {
    database,
    figures: () => ({ ...figures }),
    check: () => speakingToMongo(() => ping(database)),
    close: () => client.close(),
  };
}

function createClient({ url, maxPoolSize }: MongoOptions): MongoClient {
  const clientOptions: MongoClientOptions = {
    appName: 'bambochat',
    // Bounds on every wait. Not `timeoutMS`: it changes what several of these mean.
    serverSelectionTimeoutMS: 2000,
    waitQueueTimeoutMS: 2000,
    connectTimeoutMS: 5000,
    socketTimeoutMS: 10_000,
    // Confirmed means: journaled by a majority. Read means: cannot be rolled back.
    writeConcern: { w: 'majority', journal: true },
    readConcern: { level: 'majority' },
    readPreference: 'primary',
  };
  if (maxPoolSize !== undefined) {
    clientOptions.maxPoolSize = maxPoolSize;
  }
  try {
    return new MongoClient(url, clientOptions);
  } catch {
    // The driver's own message may repeat parts of the URL.
    throw new Error(
      'The MongoDB URL is not valid: expected mongodb://[user:password@]host[:port][/database] with known options, and reserved characters percent-encoded',
    );
  }
}

/** From the driver's events about pools: those about commands would cost something each. */
function watchPools(client: MongoClient): MongoFigures {
  const figures = {
    connections: 0,
    inUse: 0,
    checkoutFailures: 0,
    poolsCleared: 0,
    heartbeatFailures: 0,
  };
  const count = (name: keyof typeof figures, by: 1 | -1) => () => {
    figures[name] += by;
  };
  client.on('connectionCreated', count('connections', 1));
  client.on('connectionClosed', count('connections', -1));
  client.on('connectionCheckedOut', count('inUse', 1));
  client.on('connectionCheckedIn', count('inUse', -1));
  client.on('connectionCheckOutFailed', count('checkoutFailures', 1));
  client.on('connectionPoolCleared', count('poolsCleared', 1));
  client.on('serverHeartbeatFailed', count('heartbeatFailures', 1));
  return figures;
}

function databaseInUrl(url: string): string | undefined {
  const path = /^[a-z+]+:\/\/[^/?]*\/([^?]*)/.exec(url)?.[1];
  return path ? decodeURIComponent(path) : undefined;
}

/** The server for a log line: its hosts and the database, without credentials and options. */
function addressOf(client: MongoClient, database: string): string {
  const { srvHost, hosts } = client.options;
  return srvHost ? `mongodb+srv://${srvHost}/${database}` : `mongodb://${hosts.join()}/${database}`;
}

function startError(address: string, cause: unknown, timeout?: number): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(
    timeout === undefined
      ? `MongoDB at ${address} cannot be used: ${reason}`
      : `MongoDB at ${address} cannot be reached within ${timeout} ms: ${reason}. Start it, or correct the URL`,
    { cause },
  );
}

async function ping(database: Db): Promise<void> {
  const timer = new AbortController();
  const late = Symbol('late');
  try {
    const answer = await Promise.race([
      database.command({ ping: 1 }),
      delay(CHECK_TIMEOUT, late, { signal: timer.signal }),
    ]);
    if (answer === late) {
      throw unavailable('Storage', new Error(`No answer to a ping within ${CHECK_TIMEOUT} ms`));
    }
  } finally {
    timer.abort();
  }
}
