import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { BSON, type ClientSession, type Db, type Document, MongoClient } from 'mongodb';
import { RefusedError } from './command.ts';

const { EJSON } = BSON;

export interface BackupManifest {
  readonly format: 1;
  readonly at: string;
  readonly database: string;
  /** All collections as they were at one moment, as a replica set can give them. */
  readonly oneMoment: boolean;
  /** Documents of each collection. */
  readonly collections: Readonly<Record<string, number>>;
}

const MANIFEST = 'manifest.json';
const BATCH = 500;

/** Opens the database that the URL names, `bambochat` without a name, as the services do. */
export async function withMongo<Result>(
  url: string,
  work: (database: Db, client: MongoClient) => Promise<Result>,
): Promise<Result> {
  const client = new MongoClient(url, {
    appName: 'bambochat-operate',
    serverSelectionTimeoutMS: 5000,
    writeConcern: { w: 'majority', journal: true },
  });
  try {
    await client.connect();
    const path = /^[a-z+]+:\/\/[^/?]*\/([^?]*)/.exec(url)?.[1];
    return await work(client.db(path ? decodeURIComponent(path) : 'bambochat'), client);
  } finally {
    await client.close();
  }
}

/**
 * Writes every collection into a new folder, one document a line (canonical Extended JSON, gzip). The
 * manifest comes last: a folder without one is no backup.
 *
 * @throws RefusedError when the server cannot show one moment and `fuzzy` does not allow that.
 */
export async function exportMongo(options: {
  url: string;
  folder: string;
  fuzzy: boolean;
}): Promise<BackupManifest> {
  const { url, folder, fuzzy } = options;
  return await withMongo(url, async (database, client) => {
    await mkdir(folder, { recursive: false, mode: 0o700 });
    const session = fuzzy ? undefined : client.startSession({ snapshot: true });
    try {
      const collections: Record<string, number> = {};
      for (const name of await collectionNames(database)) {
        collections[name] = await exportCollection(database, name, folder, session);
      }
      const manifest: BackupManifest = {
        format: 1,
        at: new Date().toISOString(),
        database: database.databaseName,
        oneMoment: !fuzzy,
        collections,
      };
      const partial = join(folder, `${MANIFEST}.partial`);
      await writeFile(partial, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
      await rename(partial, join(folder, MANIFEST));
      return manifest;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (!fuzzy && isWithoutSnapshots(error)) {
        throw new RefusedError(
          'this server cannot show all collections as of one moment (a replica set of MongoDB 5 or newer can). Stop the services and add --fuzzy, or use mongodump',
        );
      }
      throw error;
    } finally {
      await session?.endSession();
    }
  });
}

async function collectionNames(database: Db): Promise<string[]> {
  const found = await database.listCollections({}, { nameOnly: true }).toArray();
  return found
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('system.'))
    .toSorted();
}

/** NotAReplicaSet, InvalidOptions, CommandNotSupported and the like; also the driver's own refusal. */
function isWithoutSnapshots(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: string };
  return name === 'MongoCompatibilityError' || [72, 115, 123, 246].includes(Number(code));
}

async function exportCollection(
  database: Db,
  name: string,
  folder: string,
  session: ClientSession | undefined,
): Promise<number> {
  let count = 0;
  const cursor = database
    .collection(name)
    .find({}, { batchSize: BATCH, ...(session === undefined ? {} : { session }) });
  async function* lines(): AsyncGenerator<string> {
    for await (const document of cursor) {
      count += 1;
      yield `${EJSON.stringify(document, { relaxed: false })}\n`;
    }
  }
  const path = fileOf(folder, name);
  await pipeline(Readable.from(lines()), createGzip(), createWriteStream(path, { mode: 0o600 }));
  await syncFile(path);
  return count;
}

function fileOf(folder: string, name: string): string {
  return join(folder, `${encodeURIComponent(name)}.ndjson.gz`);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Fills an empty database from a folder. Indexes are not in there: the services, or `migrate`, make
 * them; unique ones find what contradicts itself.
 *
 * @throws RefusedError when the folder is no backup, or the database is not empty and `force` does
 *   not allow to drop it; Error when fewer documents came than the manifest says.
 */
export async function importMongo(options: {
  url: string;
  folder: string;
  force: boolean;
}): Promise<BackupManifest> {
  const { url, folder, force } = options;
  const manifest = await readManifest(folder);
  return await withMongo(url, async (database) => {
    for (const name of await collectionNames(database)) {
      const isEmpty = (await database.collection(name).findOne({})) === null;
      if (!isEmpty && !force) {
        throw new RefusedError(
          `the database ${database.databaseName} holds data: --force drops it first`,
        );
      }
    }
    await database.dropDatabase();
    for (const [name, expected] of Object.entries(manifest.collections)) {
      const count = await importCollection(database, name, folder);
      if (count !== expected) {
        throw new Error(`${name}: ${count} documents instead of ${expected}: the copy is damaged`);
      }
    }
    return manifest;
  });
}

async function readManifest(folder: string): Promise<BackupManifest> {
  try {
    const manifest: BackupManifest = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'));
    if (manifest.format === 1) {
      return manifest;
    }
  } catch {
    // Said below.
  }
  throw new RefusedError(`${folder} is no backup that this version can read`);
}

async function importCollection(database: Db, name: string, folder: string): Promise<number> {
  const collection = database.collection(name);
  const input = createReadStream(fileOf(folder, name)).pipe(createGunzip());
  let count = 0;
  let batch: Document[] = [];
  const write = async () => {
    if (batch.length > 0) {
      await collection.insertMany(batch, { ordered: false });
      count += batch.length;
      batch = [];
    }
  };
  for await (const line of createInterface({ input })) {
    batch.push(EJSON.parse(line, { relaxed: false }) as Document);
    if (batch.length >= BATCH) {
      await write();
    }
  }
  await write();
  return count;
}
