import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Command, required, UsageError, wholeNumber } from './command.ts';
import { withJetStream } from './command-streams.ts';
import { changePartitions, partitionsStatus } from './partitions.ts';

/** As `COMMAND_PARTITIONS` allows. */
const PARTITIONS_MAX = 1024;

export const partitions: Command = {
  usage: `  partitions status                how many, what waits, whether they are served
  partitions set N [--quiet 3000]  once nothing waits and all gateways and message-services are stopped
      of NATS at --nats or NATS_URL
`,
  async run([action = '', ...args], { env, print }) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { nats: { type: 'string' }, quiet: { type: 'string', default: '3000' } },
    });
    const url = required(values.nats ?? env.NATS_URL, 'NATS_URL');
    if (action === 'status') {
      const status = await withJetStream(url, (manager) => partitionsStatus(manager));
      print(`${status.partitions} partitions, ${status.served} of them served`);
      print(`${status.waiting} commands wait`);
    } else if (action === 'set') {
      const number = wholeNumber(positionals[0] ?? '', 'the number', 1, PARTITIONS_MAX);
      const quiet = wholeNumber(values.quiet, '--quiet', 0, 600_000);
      await withJetStream(url, (manager) => changePartitions(manager, number, { quiet, pause }));
      print(`start everything with COMMAND_PARTITIONS=${number}`);
    } else {
      throw new UsageError(`there is no partitions ${action}`);
    }
  },
};
