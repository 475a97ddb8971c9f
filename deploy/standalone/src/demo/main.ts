/**
 * `npm run demo`: standalone with people, friends and conversations of the last days, and a script
 * that answers. Everything is new each time, in a folder that goes away with it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProcess } from '@bambochat/runtime';
import { composeStandalone } from '../compose-standalone.ts';
import { configSchema } from '../config.ts';
import { databaseIn } from '../control-socket.ts';
import { createCompanion } from './keep-company.ts';
import { companion, demoPassword, newcomer, people } from './people.ts';
import { writePast } from './write-past.ts';

const folder = await mkdtemp(join(tmpdir(), 'bambochat-demo-'));
process.env.DATA_DIR = folder;
// What people want to see here is the page.
process.env.LOG_LEVEL ||= 'warn';

await runProcess({
  name: 'bambochat-demo',
  configSchema,
  logDestination: 2,
  async compose(context) {
    const { lifecycle, logger } = context;
    lifecycle.defer('demo-data', () => rm(folder, { recursive: true, force: true }));
    await writePast(databaseIn(folder));
    const running = await composeStandalone(context);
    await lifecycle.use('companion', createCompanion({ url: () => running.url, logger }));
    return running;
  },
  announce({ url }) {
    const others = people.filter(({ id }) => id !== newcomer.id && id !== companion.id);
    process.stdout.write(`
BamboChat demo ready at ${url}

  Log in as   ${newcomer.id}
  Password    ${demoPassword}

In a second, private window be somebody else, with the same password:
${others.map(({ id, displayName }) => `  ${id.padEnd(8)}${displayName}`).join('\n')}

${companion.displayName} is a program: it types, answers and says so.
Ctrl-C ends the demo and removes its data.
`);
  },
});
