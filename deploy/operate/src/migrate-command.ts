import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { databaseIn } from '@bambochat/standalone/control';
import {
  MigrationLockError,
  type MongoMigration,
  migrateMongo,
  pendingMigrations,
} from '@bambochat/stores/mongo';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import { type Command, RefusedError, required } from './command.ts';
import { withMongo } from './mongo-backup.ts';

const described = ({ number, phase, name }: MongoMigration) => `${number} (${phase}): ${name}`;

export const migrate: Command = {
  usage: `  migrate [--dry-run]     what is pending in MongoDB at --mongodb or MONGODB_URL
  migrate --sqlite        of the data folder at --data or DATA_DIR; standalone does it when it starts
`,
  async run(args, { env, print }) {
    const { values } = parseArgs({
      args,
      options: {
        mongodb: { type: 'string' },
        data: { type: 'string' },
        sqlite: { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
      },
    });
    if (values.sqlite) {
      migrateSqlite(databaseIn(resolve(values.data ?? (env.DATA_DIR || './data'))), print);
      return;
    }
    const url = required(values.mongodb ?? env.MONGODB_URL, 'MONGODB_URL');
    await withMongo(url, async (database) => {
      if (values['dry-run']) {
        const pending = await pendingMigrations(database);
        print(pending.length === 0 ? 'nothing is pending' : 'pending:');
        for (const migration of pending) {
          print(described(migration));
        }
        return;
      }
      const done = await migrateMongo(database, {
        onStep: (migration) => print(described(migration)),
      }).catch((error: unknown) => {
        throw error instanceof MigrationLockError ? new RefusedError(error.message) : error;
      });
      print(done.length === 0 ? 'nothing was pending' : 'done');
    });
  },
};

function migrateSqlite(path: string, print: (line: string) => void): void {
  if (!existsSync(path)) {
    throw new RefusedError(`there is no database at ${path}`);
  }
  // Opening is migrating: each step in a transaction, counted in the file itself.
  void openSqliteStores({ path }).close();
  print(`${path} is up to date`);
}
