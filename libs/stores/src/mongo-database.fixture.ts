import { randomBytes } from 'node:crypto';
import { startBackends } from '@bambochat/testing';
import { MongoClient } from 'mongodb';

export interface MongoTestDatabase {
  readonly url: string;
  /** The name of a database that nobody else uses. */
  readonly name: string;
  readonly client: MongoClient;
  /** Drops the database and stops the server, if the tests started it. */
  close(): Promise<void>;
}

/** A new database on a real server that speaks MongoDB's protocol. */
export async function mongoTestDatabase(): Promise<MongoTestDatabase> {
  const backends = await startBackends({ names: ['mongodb'] });
  const { url } = backends.mongodb;
  const name = `bambochat-test-${randomBytes(6).toString('hex')}`;
  const client = await MongoClient.connect(url, { monitorCommands: true });
  return {
    url,
    name,
    client,
    async close() {
      await client.db(name).dropDatabase();
      await client.close();
      await backends.stop();
    },
  };
}
