import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectSocket, Session } from '@bambochat/client';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { companion, demoPassword, newcomer } from './people.ts';

/** With a folder for temporary files of its own, to see what is left there. */
async function runDemo() {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, PORT: '0', TMPDIR: temporary },
  });
  const output = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    output.out += data;
  });
  child.stderr.on('data', (data) => {
    output.err += data;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return {
    child,
    output,
    exit,
    temporary,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

test('has a past, a friend that answers, and leaves nothing behind', async () => {
  await using demo = await runDemo();
  const url = await waitFor(() => /ready at (http:\S+)\n/.exec(demo.output.out)?.[1] ?? '', {
    timeout: 25_000,
    describe: 'the address of the demo',
  });
  expect(demo.output.out).toContain(demoPassword);
  const session = new Session({ url });
  await session.login(newcomer.id, demoPassword);
  using client = connectSocket(session.token, { url });

  const conversations = await client.rest.conversations();
  expect(conversations.length).toBeGreaterThanOrEqual(5);
  const group = conversations.find(({ type }) => type === 'group');
  expect(group?.unread).toBe(3);
  const { messages } = await client.rest.messages({ conversationId: group?._id ?? '', limit: 200 });
  expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
  const ids = messages.map(({ _id }) => _id);
  expect(ids.toSorted()).toEqual(ids);
  const times = messages.map(({ createdAt }) => createdAt);
  expect(times.toSorted()).toEqual(times);
  expect(new Set(times.map((time) => time.slice(0, 10))).size).toBeGreaterThanOrEqual(4);
  expect(messages.some(({ reactions }) => reactions.length > 0)).toBe(true);
  expect((await client.rest.friends()).length).toBeGreaterThanOrEqual(4);
  expect(await client.rest.friendRequests('pending')).toHaveLength(1);

  const typists: string[] = [];
  client.on('typing', ({ userIds }) => typists.push(...userIds));
  const heard: string[] = [];
  client.on('message', ({ senderId, content }) => {
    if (senderId === companion.id) {
      heard.push(content);
    }
  });
  const direct = conversations.find(
    ({ type, participants }) =>
      type === 'direct_message' && participants.some(({ _id }) => _id === companion.id),
  );
  await client.conversation(direct?._id ?? '').send('Who are you?').confirmed;
  await waitFor(() => heard.some((text) => text.includes('I am a script')), { timeout: 20_000 });
  expect(typists).toContain(companion.id);

  demo.child.kill('SIGINT');
  expect(await demo.exit, demo.output.err).toBe(0);
  expect(existsSync(demo.temporary) ? await readdir(demo.temporary) : []).toEqual([]);
  expect(demo.output.err).toBe('');
});
