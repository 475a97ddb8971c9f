/*
 * One of two processes that race for the same sequence numbers: inserts seq 1 … rounds of one
 * conversation and prints how many of them it won.
 *   node race-writer.ts <url> <side> <rounds>
 */
import { MongoClient, MongoServerError } from 'mongodb';
import type { Item } from './check.ts';
import { item } from './check.ts';

const [url = '', side = '', rounds = '0'] = process.argv.slice(2);
const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 });
const items = client.db('compare').collection<Item>('race_of_processes');
let won = 0;
for (let seq = 1; seq <= Number(rounds); seq += 1) {
  try {
    const name = `${side}-${seq}`;
    await items.insertMany([item('c', seq, { _id: name, clientMessageId: name })]);
    won += 1;
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === 11000)) {
      throw error;
    }
  }
}
await client.close();
process.stdout.write(`${won}\n`);
