import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';

/**
 * Reads from its standard input the process id of the server, or 0 when it is down. The input ends
 * when the parent is gone, however it went, SIGKILL included; then the guard kills the server and
 * removes the temporary data folder ($1, may be empty). The kernel may need a moment to end a large
 * server that still writes, hence the bounded wait.
 */
const script = `
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 1 ]; then
  kill -9 "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 20 ]; do tries=$((tries + 1)); sleep 0.1; done
fi
if [ -n "$1" ]; then rm -rf "$1"; fi
`;

/** A shell that is blocked on a pipe which only this process holds: no server outlives us. */
export class Guard {
  readonly #shell: ChildProcess;

  /** @param temporaryFolder removed when this process is gone; absent: nothing is removed. */
  constructor(temporaryFolder: string | undefined) {
    this.#shell = spawn('/bin/sh', ['-c', script, 'sh', temporaryFolder ?? ''], {
      // Not in our process group: Ctrl-C must not end the guard before the server.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // A guard that is already gone must not crash its parent.
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  /** Names the process to end; null: none, its id may soon be that of a stranger. */
  watch(pid: number | null): void {
    this.#shell.stdin?.write(`${pid ?? 0}\n`);
  }

  /** Ends the guard without it doing anything. */
  dismiss(): void {
    this.#shell.kill('SIGKILL');
  }
}
