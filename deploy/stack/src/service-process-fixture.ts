import { fileURLToPath } from 'node:url';
import { createOrphanGuard } from './orphan-guard.ts';
import type { ServiceCommand, ServiceSurroundings } from './service-process.ts';

type Behaviour = 'refuse' | 'silent' | 'stubborn' | 'mortal';

export function fixtureCommand(behaviour?: Behaviour): ServiceCommand {
  return {
    name: 'fixture-1',
    entry: fileURLToPath(new URL('service.fixture.ts', import.meta.url)),
    env: { ...process.env, BEHAVIOUR: behaviour },
  };
}

export interface TestSurroundings extends ServiceSurroundings, Disposable {
  readonly lines: Record<string, unknown>[];
  abort(): void;
}

export function testSurroundings(
  options: { threshold?: number; startTimeout?: number } = {},
): TestSurroundings {
  const lines: Record<string, unknown>[] = [];
  const guard = createOrphanGuard();
  const control = new AbortController();
  return {
    guard,
    lines,
    log: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
    threshold: 30,
    signal: control.signal,
    ...options,
    abort: () => control.abort(),
    [Symbol.dispose]: () => guard.dismiss(),
  };
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
