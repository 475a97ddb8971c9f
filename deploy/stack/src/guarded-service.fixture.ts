import { createOrphanGuard } from './orphan-guard.ts';
import { startServiceProcess } from './service-process.ts';
import { fixtureCommand } from './service-process-fixture.ts';

/* Starts two services, ends one of them, prints the process ids of both and waits to be killed. */
const surroundings = {
  guard: createOrphanGuard(),
  log: () => {},
  threshold: 0,
  signal: new AbortController().signal,
};
const ended = await startServiceProcess(fixtureCommand(), surroundings);
ended.signal('SIGTERM');
await ended.exited;
const alive = await startServiceProcess(fixtureCommand('stubborn'), surroundings);
process.stdout.write(`${JSON.stringify({ ended: ended.pid, alive: alive.pid })}\n`);
setInterval(() => {}, 60_000);
