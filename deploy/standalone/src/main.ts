import { parseArgs } from 'node:util';
import { runProcess } from '@bambochat/runtime';
import { composeStandalone } from './compose-standalone.ts';
import { configSchema } from './config.ts';

const usage = `Usage: npm start [-- --json]

  --json   print one line {"ready":true,"url":…,"pid":…} on standard output when ready

Configuration is by environment variables (README.md). The log is on standard error.
`;

function readOptions(): { json: boolean; help: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'wrong option'}\n${usage}`);
    // EX_USAGE of sysexits.h.
    process.exit(64);
  }
}

const options = readOptions();
if (options.help) {
  process.stdout.write(usage);
} else {
  await runProcess({
    name: 'bambochat',
    configSchema,
    logDestination: 2,
    compose: composeStandalone,
    announce({ url }) {
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ ready: true, url, pid: process.pid })}\n`
          : `BamboChat ready at ${url}\n`,
      );
    },
  });
}
