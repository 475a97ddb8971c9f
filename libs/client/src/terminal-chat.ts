#!/usr/bin/env node
/**
 * `bambochat-chat`: a chat in the terminal, an example of the SDK and a first tool to look with.
 * Reads lines: commands begin with `/`, everything else is said in the open conversation. Works with
 * a pipe, too; then it ends when its input ends and everything is confirmed.
 */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import { ChatError, connectSocket, register, Session } from './index.ts';
import { commandHelp, TerminalSession } from './terminal-session.ts';

const usage = `Usage: bambochat-chat --user <id> [options]

  --url <address>    where the chat is (default $BAMBOCHAT_URL, else http://127.0.0.1:3000)
  --user <id>        who you are
  --register         open an account first; asks for --email
  --email <address>  only with --register
  --help

The password is $BAMBOCHAT_PASSWORD, or asked for.

${commandHelp}`;

/** Of sysexits.h. */
const EX_USAGE = 64;
/** Milliseconds after the end of the input in which messages may still be confirmed. */
const FAREWELL = 30_000;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: 'string', default: process.env.BAMBOCHAT_URL ?? 'http://127.0.0.1:3000' },
        user: { type: 'string' },
        register: { type: 'boolean', default: false },
        email: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'wrong option'}\n\n${usage}`);
    process.exit(EX_USAGE);
  }
}

async function askPassword(): Promise<string> {
  const given = process.env.BAMBOCHAT_PASSWORD;
  if (given !== undefined) {
    return given;
  }
  if (!process.stdin.isTTY) {
    throw new Error('Set BAMBOCHAT_PASSWORD: there is no terminal to ask on');
  }
  process.stdout.write('Password: ');
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const hidden = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  const password = await new Promise<string>((resolve) => hidden.question('', resolve));
  hidden.close();
  process.stdout.write('\n');
  return password;
}

/** Prints above the line that is being written, if there is one. */
function printer(lines: Interface): (text: string) => void {
  return (text) => {
    if (process.stdout.isTTY && process.stdin.isTTY) {
      process.stdout.write(`\r\u001b[K${text}\n`);
      lines.prompt(true);
    } else {
      process.stdout.write(`${text}\n`);
    }
  };
}

async function chat(options: ReturnType<typeof readOptions>, user: string): Promise<boolean> {
  const password = await askPassword();
  if (options.register) {
    await register(options.url, { id: user, email: options.email ?? '', password });
  }
  const session = new Session({ url: options.url });
  await session.login(user, password);
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ' });
  const client = connectSocket(session.token, { url: options.url });
  try {
    const terminal = new TerminalSession(client, printer(lines));
    lines.on('SIGINT', () => lines.close());
    // Line by line: what is said after `/open` is said there.
    for await (const line of lines) {
      if (!(await terminal.take(line))) {
        break;
      }
    }
    return await terminal.allConfirmed(FAREWELL);
  } finally {
    lines.close();
    client.close();
  }
}

const options = readOptions();
if (options.help) {
  process.stdout.write(usage);
} else if (options.user === undefined) {
  process.stderr.write(usage);
  process.exitCode = EX_USAGE;
} else {
  try {
    process.exitCode = (await chat(options, options.user)) ? 0 : 1;
  } catch (error) {
    const code = error instanceof ChatError ? `${error.code}: ` : '';
    process.stderr.write(`${code}${error instanceof Error ? error.message : 'failed'}\n`);
    process.exitCode = 1;
  }
  // The connection is closed; an open terminal would keep the process.
  process.stdin.destroy();
}
