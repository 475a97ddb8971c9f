import { spawn } from 'node:child_process';

/**
 * A shell that reads process ids from a pipe which only this process holds: `watch <pid>` and
 * `forget <pid>`. The input ends when this process is gone, however it went, and then whoever is
 * left is killed. SIGKILL, because nobody is there any more to see an orderly stop to its end; and
 * a service has to survive that anyway.
 */
const script = `
pids=
while read -r operation pid; do
  case $operation in
    watch) pids="$pids $pid" ;;
    forget)
      rest=
      for other in $pids; do [ "$other" = "$pid" ] || rest="$rest $other"; done
      pids=$rest ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
`;

export interface OrphanGuard {
  watch(pid: number): void;
  /** It is gone, and its id may soon be that of a stranger. */
  forget(pid: number): void;
  /** Ends the guard without it doing anything. */
  dismiss(): void;
}

export function createOrphanGuard(): OrphanGuard {
  const shell = spawn('/bin/sh', ['-c', script], {
    // Not in our process group: Ctrl-C must not end the guard first.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // A guard that is gone must not take the stack with it.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  shell.unref();
  return {
    watch(pid) {
      shell.stdin.write(`watch ${pid}\n`);
    },
    forget(pid) {
      shell.stdin.write(`forget ${pid}\n`);
    },
    dismiss() {
      shell.kill('SIGKILL');
    },
  };
}
