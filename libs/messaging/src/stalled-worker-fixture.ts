import { parseArgs } from 'node:util';
import { createJetStreamCommandLog } from './command-log-jetstream.ts';
import { storageNames } from './jetstream-storage-fixture.ts';
import { connectNats } from './nats-connection.ts';

/**
 * A message-service that a test stops with SIGSTOP: says `holds <command>` when it got a command,
 * keeps it until a line comes in, and says `finished <command>` then.
 */
const { values } = parseArgs({
  options: { url: { type: 'string' }, storage: { type: 'string' }, 'ack-wait': { type: 'string' } },
});
const connection = await connectNats({ url: values.url ?? '', name: 'stalled-worker' });
const log = await createJetStreamCommandLog({
  connection,
  partitions: 1,
  maxBytes: 16 * 1024 ** 2,
  deadLetterMaxBytes: 1024 ** 2,
  ackWait: Number(values['ack-wait']),
  ...storageNames(values.storage ?? ''),
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const released = Promise.withResolvers<void>();
process.stdin.once('data', () => released.resolve());
process.stdin.once('end', () => process.exit());

await log.consume(async ({ command }) => {
  const text = new TextDecoder().decode(command);
  say(`holds ${text}`);
  await released.promise;
  say(`finished ${text}`);
});
say('ready');
