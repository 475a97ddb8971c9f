import { writeSync } from 'node:fs';
import { conversationIdSchema } from '@bambochat/protocol';
import { sampleMessage } from './sample-records.fixture.ts';
import { openSqliteStores } from './sqlite.ts';

/**
 * Test program: stores messages without an end, several conversations at once, and prints a line
 * `<conversationId> <seq>` as soon as each is confirmed. Its parent kills it.
 */
const [path = '', ...conversationIds] = process.argv.slice(2);
const { messageStore } = openSqliteStores({ path });

async function fill(id: string): Promise<never> {
  const conversationId = conversationIdSchema.parse(id);
  const last = await messageStore.lastOf([conversationId]);
  for (let seq = (last.get(conversationId)?.seq ?? 0) + 1; ; seq += 1) {
    await messageStore.insert([sampleMessage({ conversationId, seq })]);
    writeSync(1, `${conversationId} ${seq}\n`);
  }
}

await Promise.all(conversationIds.map(fill));
