import { type Command, RefusedError, UsageError } from './command.ts';
import { deadLetters } from './dead-letters-command.ts';
import { migrate } from './migrate-command.ts';
import { mongodb } from './mongo-command.ts';
import { partitions } from './partitions-command.ts';
import { sqlite } from './sqlite-command.ts';

const commands: Readonly<Record<string, Command>> = {
  'dead-letters': deadLetters,
  mongodb,
  migrate,
  partitions,
  sqlite,
};

const usage = `Usage: npm run operate -- <command> …

${Object.values(commands)
  .map((command) => command.usage)
  .join('\n')}
Exit status: 0 done, 1 failed, 2 refused because it would do harm, 64 wrong usage.
`;

/** EX_USAGE of sysexits.h. */
const WRONG_USAGE = 64;

process.exitCode = await main(process.argv.slice(2));

async function main([name = '--help', ...args]: string[]): Promise<number> {
  if (name === '--help' || args.includes('--help')) {
    process.stdout.write(usage);
    return 0;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) {
      throw new UsageError(`there is no command ${name}`);
    }
    await command.run(args, {
      env: process.env,
      print: (line) => void process.stdout.write(`${line}\n`),
    });
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (isWrongUsage(error)) {
      process.stderr.write(`\n${usage}`);
      return WRONG_USAGE;
    }
    return error instanceof RefusedError ? 2 : 1;
  }
}

/** Ours, and what `parseArgs` throws. */
function isWrongUsage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}
