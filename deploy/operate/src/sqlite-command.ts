import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askForBackup, databaseIn } from '@bambochat/standalone/control';
import { backupSqliteFile, checkSqliteFile, restoreSqliteFile } from '@bambochat/stores/sqlite';
import { type Command, RefusedError, required, UsageError } from './command.ts';

const described = ({ schema, messages }: { schema: number; messages: number }) =>
  `whole, schema ${schema}, ${messages} messages`;

/** Backup and restore of standalone's database. */
export const sqlite: Command = {
  usage: `  sqlite backup --to FILE          a copy, also while standalone runs
  sqlite check FILE                whether a copy is whole
  sqlite restore --from FILE [--force]
      of the data folder at --data or DATA_DIR (default ./data)
`,
  async run([action = '', ...args], { env, print }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        data: { type: 'string' },
        to: { type: 'string' },
        from: { type: 'string' },
        force: { type: 'boolean', default: false },
      },
    });
    const folder = resolve(values.data ?? (env.DATA_DIR || './data'));
    if (action === 'backup') {
      const to = resolve(required(values.to, '--to'));
      const done =
        (await askForBackup(folder, to)) ?? (await backupSqliteFile(databaseIn(folder), to));
      print(`${to}: ${described(done)}`);
    } else if (action === 'check') {
      const file = required(positionals[0], 'the file');
      print(`${file}: ${described(checkSqliteFile(file))}`);
    } else if (action === 'restore') {
      const from = resolve(required(values.from, '--from'));
      const to = databaseIn(folder);
      const { replaced, ...facts } = await restoreSqliteFile({
        from,
        to,
        force: values.force,
      }).catch((error: unknown) => {
        throw new RefusedError(error instanceof Error ? error.message : String(error));
      });
      print(`${to}: ${described(facts)}`);
      if (replaced !== null) {
        print(`what was there is now ${replaced}`);
      }
    } else {
      throw new UsageError(`there is no sqlite ${action}`);
    }
  },
};
