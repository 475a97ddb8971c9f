import { type CommandLog, partitionOf } from '@bambochat/messaging';
import { connectNats, createJetStreamCommandLog } from '@bambochat/messaging/nats';
import type { ChatRequestsCommand, MessageRequest } from '@bambochat/protocol';
import { startBackends, waitFor } from '@bambochat/testing';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deadLetters } from './dead-letters-command.ts';

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;
beforeAll(async () => {
  backends = await startBackends({ names: ['nats'] });
});
afterAll(() => backends?.stop());

const PARTITIONS = 4;
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

function message(content: string, conversationId = uuidv7()): MessageRequest {
  return {
    kind: 'message',
    conversationId,
    senderId: 'alice',
    content,
    clientMessageId: uuidv7(),
    socketId: 's',
    ref: '1',
  } as MessageRequest;
}

const commandOf = (...requests: MessageRequest[]): ChatRequestsCommand =>
  ({ type: 'chat_requests', gatewayId: 'gone', requests }) as ChatRequestsCommand;

async function operate(...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  await deadLetters.run(args, {
    env: { NATS_URL: backends.nats.url },
    print: (line) => lines.push(line),
  });
  return lines;
}

/** The command log as services have it, emptied. */
async function openLog() {
  const connection = await connectNats({ url: backends.nats.url, name: 'test' });
  const log = await createJetStreamCommandLog({
    connection,
    partitions: PARTITIONS,
    maxBytes: 16 * 1024 ** 2,
    deadLetterMaxBytes: 1024 ** 2,
  });
  const manager = await connection.client.jetstreamManager();
  await manager.streams.purge('CHAT_COMMANDS');
  await manager.streams.purge('CHAT_DEAD_LETTERS');
  return { log, connection };
}

/** Puts commands aside as message-service does, one after the other. */
async function putAside(log: CommandLog, commands: readonly unknown[]): Promise<void> {
  const before = (await log.deadLetters(1000)).length;
  const consumer = await log.consume(() => Promise.reject(new Error('a bug')), {
    maxAttempts: 1,
    backoff: 1,
  });
  for (const [index, command] of commands.entries()) {
    const { requests } = command as Partial<ChatRequestsCommand>;
    const partition = partitionOf(requests?.[0]?.conversationId ?? 'none', PARTITIONS);
    await log.append(partition, encode(command));
    await waitFor(async () => (await log.deadLetters(1000)).length === before + index + 1);
  }
  await consumer.stop(1000);
}

/** What a service that handles commands again is given, in order. */
async function handled(log: CommandLog, count: number): Promise<string[]> {
  const contents: string[] = [];
  const consumer = await log.consume(async ({ command }) => {
    for (const request of decode(command).requests) contents.push(request.content);
  });
  await waitFor(() => contents.length >= count);
  await waitFor(async () => (await log.depth()) === 0);
  await consumer.stop(1000);
  return contents;
}

describe('dead letters', () => {
  let log: CommandLog;
  let numbers: number[];
  const conversation = uuidv7();

  beforeEach(async () => {
    const opened = await openLog();
    log = opened.log;
    await putAside(
      log,
      ['one', 'two', 'three'].map((text) => commandOf(message(text, conversation))),
    );
    numbers = (await operate('list', '--json'))
      .map((line) => JSON.parse(line).number as number)
      .toReversed();
    return () => opened.connection.drain();
  });

  test('are listed newest first, page by page, without what was said', async () => {
    const lines = await operate('list', '--limit', '2');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(new RegExp(`^ *${numbers[2]} .*1 × message.*Error: a bug`));
    expect(lines[2]).toBe('2 of 3');
    expect(lines[3]).toBe(`older ones: --before ${numbers[1]}`);
    const rest = await operate('list', '--limit', '2', '--before', String(numbers[1]));
    expect(rest.map((line) => Number.parseInt(line, 10)).slice(0, 1)).toEqual([numbers[0]]);
    expect(rest).toHaveLength(2);
    expect([...lines, ...rest].join()).not.toContain('three');
  });

  test('are shown in full, texts only on demand', async () => {
    const [hushed = ''] = await operate('show', String(numbers[1]));
    expect(JSON.parse(hushed)).toMatchObject({
      number: numbers[1],
      reason: 'Error: a bug',
      gatewayId: 'gone',
      requests: [{ kind: 'message', conversationId: conversation, senderId: 'alice' }],
    });
    expect(hushed).not.toContain('two');
    const [full = ''] = await operate('show', String(numbers[1]), '--content');
    expect(JSON.parse(full).requests[0].content).toBe('two');
  });

  test('go back behind what is in the partition, in the order in which they were', async () => {
    const partition = partitionOf(conversation, PARTITIONS);
    await log.append(partition, encode(commandOf(message('before', conversation))));
    await operate('replay', '--all');
    await log.append(partition, encode(commandOf(message('behind', conversation))));
    expect(await handled(log, 5)).toEqual(['before', 'one', 'two', 'three', 'behind']);
    expect(await operate('list')).toEqual(['0 of 0']);
  });

  test('can be replayed twice: the second time it is gone, or known', async () => {
    await operate('replay', String(numbers[0]));
    await expect(operate('replay', String(numbers[0]))).rejects.toThrow(/no dead letter/);
    // Kept, as after a crash before it was forgotten: the log itself knows it.
    await operate('replay', '--keep', String(numbers[1]));
    await operate('replay', '--keep', String(numbers[1]));
    expect(await handled(log, 2)).toEqual(['one', 'two']);
    expect(await operate('list')).toHaveLength(3);
  });

  test('that cannot be read stay where they are', async () => {
    await putAside(log, [{ type: 'unheard of' }]);
    const lines = await operate('replay', '--all');
    expect(lines.filter((line) => line.includes('replayed'))).toHaveLength(3);
    expect(lines.at(-1)).toMatch(/skipped: .* no command that this version can read/);
    expect((await operate('list'))[0]).toContain('unreadable');
  });

  test('are dropped when it is said', async () => {
    await operate('drop', String(numbers[0]), String(numbers[2]));
    expect(await operate('list')).toHaveLength(2);
    await operate('drop', '--all');
    expect(await operate('list')).toEqual(['0 of 0']);
    expect(await log.depth()).toBe(0);
  });

  test('go to the partition that a conversation has now', async () => {
    const others = Array.from({ length: 8 }, () => uuidv7());
    await operate('drop', '--all');
    await putAside(log, [commandOf(...others.map((id) => message(id, id)))]);
    await operate('replay', '--all');
    const seen: [string, number][] = [];
    const consumer = await log.consume(async ({ command, partition }) => {
      for (const { content } of decode(command).requests) seen.push([content, partition]);
    });
    await waitFor(() => seen.length === 8);
    await consumer.stop(1000);
    for (const [conversationId, partition] of seen) {
      expect(partition).toBe(partitionOf(conversationId, PARTITIONS));
    }
  });
});

test('wrong usage is told', async () => {
  await expect(operate('replay')).rejects.toThrow(/takes numbers, or --all/);
  await expect(operate('replay', '--all', '1')).rejects.toThrow(/takes numbers, or --all/);
  await expect(operate('show', 'x')).rejects.toThrow(/whole number/);
  await expect(operate('bury')).rejects.toThrow(/no dead-letters bury/);
  await expect(deadLetters.run(['list'], { env: {}, print: () => {} })).rejects.toThrow(
    'NATS_URL is missing',
  );
});
