import { chmodSync, closeSync, constants, copyFileSync, fsyncSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { checkSqliteFile } from './sqlite-backup.ts';

/*
 * A program of its own, for `sqlite-backup.ts`: copies a database that stands still to where the
 * second argument says, checks the copy, and prints what it found. In another process because POSIX
 * drops all locks on a file when a process closes it, and because all of this takes its time.
 */
const [, , from = '', to = ''] = process.argv;
copyFileSync(from, to, constants.COPYFILE_FICLONE);
chmodSync(to, 0o600);
const copy = new DatabaseSync(to);
// One file, without a log beside it.
copy.exec('PRAGMA journal_mode = DELETE');
copy.close();
const facts = checkSqliteFile(to);
const descriptor = openSync(to, 'r');
fsyncSync(descriptor);
closeSync(descriptor);
process.stdout.write(JSON.stringify(facts));
