import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { hasStopped } from './has-stopped.ts';
import { waitFor } from './wait-for.ts';

// Threads that begin and end all the time, as in a server with one thread for each connection.
const program = `
  const { Worker } = require('node:worker_threads');
  const begin = () => new Worker('', { eval: true }).once('exit', begin);
  begin(); begin(); begin(); begin();
  console.log('begun');
`;

test('a process whose threads come and go is asked without an error', async () => {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    const { pid } = child;
    if (pid === undefined) {
      throw new Error('the process did not start');
    }
    for (let time = 0; time < 500; time += 1) {
      expect(await hasStopped(pid)).toBe(false);
    }
    child.kill('SIGSTOP');
    await waitFor(() => hasStopped(pid), { interval: 5, describe: 'the process to stand still' });
    child.kill('SIGCONT');
    await waitFor(async () => !(await hasStopped(pid)), { describe: 'the process to go on' });
  } finally {
    child.kill('SIGKILL');
    await gone;
  }
});
