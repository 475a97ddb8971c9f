import type { Collection } from 'mongodb';
import { MongoClient } from 'mongodb';
import type { Backend } from '../backend.ts';
import { runChildProgram } from '../child-program.ts';
import { waitFor } from '../wait-for.ts';
import type { Check, Item } from './check.ts';
import { createMessageIndexes, expect, expectEqual, item } from './check.ts';

const journaled = { writeConcern: { w: 'majority', journal: true } } as const;
const rounds = 20;

async function withClient<T>(
  url: string,
  name: string,
  work: (items: Collection<Item>) => Promise<T>,
): Promise<T> {
  // The timeouts that the application uses as well: a hanging server must not hang the caller.
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 3_000,
    socketTimeoutMS: 3_000,
  });
  try {
    return await work(client.db('compare').collection<Item>(name));
  } finally {
    await client.close();
  }
}

export const processChecks: readonly Check[] = [
  {
    name: 'two processes race for 500 seqs: one winner each',
    async run({ url, collection }) {
      const items = collection('race_of_processes');
      await createMessageIndexes(items);
      const wins = await Promise.all(
        ['left', 'right'].map(async (side) => {
          const file = './mongodb-comparison/race-writer.ts';
          await using program = runChildProgram(file, [url, side, '500']);
          return Number(await program.firstLine());
        }),
      );
      expectEqual((wins[0] ?? 0) + (wins[1] ?? 0), 500, 'wins');
      const seqs = (await items.find().sort({ seq: 1 }).toArray()).map((one) => one.seq);
      expectEqual(
        seqs,
        Array.from({ length: 500 }, (_, n) => n + 1),
        'seqs',
      );
      return `${wins.join(' : ')}`;
    },
  },
];

/** Checks that kill and pause the server, so it must be one of ours. */
export function faultChecks(server: Backend): readonly Check[] {
  return [
    {
      name: `an acknowledged insert survives kill -9 (${rounds} times)`,
      async run({ url }) {
        for (let round = 1; round <= rounds; round += 1) {
          await withClient(url, 'durable', async (items) => {
            if (round === 1) {
              await createMessageIndexes(items);
            }
            const batch = [0, 1, 2].map((n) => item('c', round * 3 - 2 + n));
            await items.insertMany(batch, journaled);
            await server.kill();
          });
          await server.restart();
          const stored = await withClient(url, 'durable', (items) => items.countDocuments());
          expectEqual(stored, round * 3, `documents after round ${round}`);
        }
        return true;
      },
    },
    {
      name: 'unique indexes still hold after kill -9',
      async run({ url }) {
        const error = await withClient(url, 'durable', (items) =>
          items.insertOne(item('c', 1, { _id: 'again', clientMessageId: 'again' })),
        ).catch((reason) => reason);
        expectEqual(error.code, 11000, 'code');
        return true;
      },
    },
    {
      name: 'kill -9 in the middle of ordered batches leaves a dense prefix of each (10 times)',
      async run({ url }) {
        for (let round = 1; round <= 10; round += 1) {
          const conversation = `torn-${round}`;
          await withClient(url, 'torn', async (items) => {
            await items.insertOne(item(conversation, 1), journaled);
            const batch = Array.from({ length: 2000 }, (_, n) => item(conversation, n + 2));
            const write = items.insertMany(batch, journaled).catch((error) => error);
            // Part of the batch may be visible by now, or none of it.
            await items.countDocuments({ conversationId: conversation });
            await server.kill();
            await write;
          });
          await server.restart();
          const seqs = await withClient(url, 'torn', (items) =>
            items.find({ conversationId: conversation }).sort({ seq: 1 }).toArray(),
          );
          seqs.forEach((one, n) => {
            expect(one.seq === n + 1, `round ${round}: seq ${one.seq} at place ${n + 1}`);
          });
        }
        return true;
      },
    },
    {
      name: 'the same client works again after kill and restart',
      async run({ url }) {
        await withClient(url, 'reconnect', async (items) => {
          await items.insertOne(item('c', 1));
          await server.kill();
          const refused = await items.findOne().then(
            () => false,
            () => true,
          );
          expect(refused, 'it answered although the server is down');
          await server.restart();
          await waitFor(() => items.insertOne(item('c', 2)), { timeout: 20_000 });
          expectEqual(await items.countDocuments(), 2, 'documents');
        });
        return true;
      },
    },
    {
      name: 'a paused server (SIGSTOP) makes calls fail by socketTimeoutMS; then it goes on',
      async run({ url }) {
        await withClient(url, 'paused', async (items) => {
          await items.insertOne(item('c', 1));
          await server.pause();
          const error = await items.insertOne(item('c', 2), journaled).catch((reason) => reason);
          expect(error instanceof Error, 'the insert was acknowledged by a paused server');
          await server.resume();
          await waitFor(async () => (await items.countDocuments()) >= 1, { timeout: 20_000 });
        });
        return true;
      },
    },
  ];
}
