import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openMongoStores } from '@bambochat/stores/mongo';
import { type Command, required, UsageError } from './command.ts';
import { type BackupManifest, exportMongo, importMongo } from './mongo-backup.ts';

/** Backup and restore where mongodump cannot be had. */
export const mongodb: Command = {
  usage: `  mongodb export --to FOLDER [--fuzzy]    every collection, as of one moment
  mongodb import --from FOLDER [--force]  into an empty database, then its indexes
      of MongoDB at --mongodb or MONGODB_URL; for large ones take mongodump (deploy/operate/README.md)
`,
  async run([action = '', ...args], { env, print }) {
    const { values } = parseArgs({
      args,
      options: {
        mongodb: { type: 'string' },
        to: { type: 'string' },
        from: { type: 'string' },
        fuzzy: { type: 'boolean', default: false },
        force: { type: 'boolean', default: false },
      },
    });
    const url = required(values.mongodb ?? env.MONGODB_URL, 'MONGODB_URL');
    const tell = ({ collections, oneMoment }: BackupManifest) => {
      for (const [name, count] of Object.entries(collections)) {
        print(`${name}: ${count}`);
      }
      print(oneMoment ? 'as of one moment' : 'NOT as of one moment');
    };
    if (action === 'export') {
      const folder = resolve(required(values.to, '--to'));
      tell(await exportMongo({ url, folder, fuzzy: values.fuzzy }));
    } else if (action === 'import') {
      const folder = resolve(required(values.from, '--from'));
      tell(await importMongo({ url, folder, force: values.force }));
      const stores = await openMongoStores({ url });
      await stores.close();
      print('indexes are made');
    } else {
      throw new UsageError(`there is no mongodb ${action}`);
    }
  },
};
