import { execFile, spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPacked, type PackedProject } from './packed-library-fixture.ts';
import {
  createGroup,
  historyOf,
  Person,
  type Standalone,
  startStandalone,
} from './standalone-fixture.ts';

const run = promisify(execFile);

describe('the packed library in an empty project', () => {
  let project: PackedProject;
  let server: Standalone;
  beforeAll(async () => {
    [project, server] = await Promise.all([installPacked(), startStandalone()]);
  });
  afterAll(async () => {
    await Promise.all([project?.[Symbol.asyncDispose](), server?.[Symbol.asyncDispose]()]);
  });

  test('holds what it should, and the build says how large that is', async () => {
    const files = await readdir(project.library);
    expect(files).toEqual(
      expect.arrayContaining([
        'README.md',
        'browser.min.js',
        'index.d.ts',
        'index.js',
        'package.json',
        'terminal-chat.js',
      ]),
    );
    expect(files.filter((name) => /fixture|test|contract/.test(name))).toEqual([]);
    expect(project.buildOutput).toMatch(/browser\.min\.js: \d+ bytes, \d+ gzip/);
    const browser = await readFile(join(project.library, 'browser.min.js'), 'utf8');
    expect(browser).not.toMatch(/node:|\bimport\s*[{("']|process\.env/);
    const gzip = Number(/browser\.min\.js: \d+ bytes, (\d+) gzip/.exec(project.buildOutput)?.[1]);
    // socket.io-client alone has about 15,000; the schemas of the protocol would add 15,000.
    expect(gzip).toBeLessThan(30_000);
  });

  test('has types that a strict project can use', async () => {
    await writeFile(
      join(project.folder, 'consumer.ts'),
      `import { type ChatClient, ChatError, connectSocket, indexedDbOutbox, type Message, Session } from '@bambochat/client';
const session = new Session({ url: 'http://127.0.0.1' });
const client: ChatClient = connectSocket(session.token, { storage: indexedDbOutbox() });
client.on('message', (message: Message) => message.reactions[0]?.type === 'like');
client.on('state', (state) => state.name === 'offline' && state.retryAt.toFixed());
const entry = client.conversation('c').send('text');
entry.confirmed.then(({ seq }) => seq + 1, (error: unknown) => error instanceof ChatError && error.code === 'STORAGE');
// @ts-expect-error no such event
client.on('massage', () => {});
// @ts-expect-error not for others
client.conversation('c').log;
`,
    );
    const tsc = join(
      dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
      'bin/tsc',
    );
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2022'];
    const checked = run(
      process.execPath,
      [tsc, ...options, '--lib', 'es2022,dom', '--types', '', 'consumer.ts'],
      { cwd: project.folder },
    ).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
    expect(await checked).toBe('');
  });

  test('chats in Node', async () => {
    const [ada, ben] = await Promise.all([
      Person.create(server.url, 'ada'),
      Person.create(server.url, 'ben'),
    ]);
    using atBen = await ben.online();
    const id = await createGroup(atBen, [ada]);
    await writeFile(
      join(project.folder, 'chat.js'),
      `import { connectSocket, Session } from '@bambochat/client';
const [url, id, user, password] = process.argv.slice(2);
const session = new Session({ url });
await session.login(user, password);
const client = connectSocket(session.token, { url });
const message = await client.conversation(id).send('from the packed library').confirmed;
console.log(JSON.stringify({ seq: message.seq, shown: client.conversation(id).messages.length }));
client.close();
`,
    );
    const args = ['chat.js', server.url, id, ada.userId, ada.password];
    const { stdout } = await run(process.execPath, args, { cwd: project.folder });
    expect(JSON.parse(stdout)).toEqual({ seq: 1, shown: 1 });
    await waitFor(() => atBen.conversation(id).messages.length === 1);
  });

  function terminal(args: string[], password: string, input: string) {
    const file = join(project.library, 'terminal-chat.js');
    const child = spawn(process.execPath, [file, '--url', server.url, ...args], {
      env: { ...process.env, BAMBOCHAT_PASSWORD: password },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.end(input);
    return Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise((resolve) => child.once('exit', resolve)),
    ]).then(([output, errors, code]) => ({ output, errors, code }));
  }

  test('the terminal chat works with a pipe', async () => {
    const ben = await Person.create(server.url, 'ben');
    using atBen = await ben.online();
    const user = `${ben.userId}-friend`;
    const said = await terminal(
      ['--user', user, '--register', '--email', 'friend@mail.example'],
      'a long password',
      `/list\n/open ${ben.userId}\nhello\u001b[2J\nsecond line\n/status\n`,
    );
    expect(said).toMatchObject({ code: 0, errors: '' });
    expect(said.output).toContain('no conversations yet');
    expect(said.output).toMatch(/-- (catching-up|live)/);
    await waitFor(() => atBen.conversations.length === 1);
    const [conversation] = atBen.conversations;
    const history = await historyOf(atBen, conversation?.id ?? '');
    expect(history.map(({ content }) => content)).toEqual(['hello\u001b[2J', 'second line']);

    const read = await terminal(
      ['--user', user],
      'a long password',
      '/list\n/open 1\n/react 1 love\n/read\n',
    );
    expect(read).toMatchObject({ code: 0, errors: '' });
    expect(read.output).toContain(`1. ${ben.userId}`);
    expect(read.output).toContain(`${user}: second line`);
    expect(read.output).toContain('hello�[2J');
    expect(read.output).toContain(`reactions to 1: ${user} love`);
    expect(read.output).toContain('-- 0 unread');
  });

  test('the terminal chat says what is wrong', async () => {
    expect(await terminal([], 'x', '')).toMatchObject({
      code: 64,
      errors: expect.stringContaining('Usage:'),
    });
    expect(await terminal(['--user', 'nobody'], 'wrong', '')).toMatchObject({
      code: 1,
      errors: expect.stringContaining('AUTH_INVALID'),
    });
  });
});
