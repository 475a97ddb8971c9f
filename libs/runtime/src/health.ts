/** Rejects when the dependency does not answer. */
export type HealthCheck = () => Promise<void>;

export interface Readiness {
  ready: boolean;
  /** Each dependency by name: `ok`, or in a word why not. Never an address or a driver's message. */
  checks: Record<string, 'ok' | 'failed' | 'timeout'>;
  draining: boolean;
}

export interface Health {
  addCheck(name: string, check: HealthCheck): void;
  /** From now on not ready: the load balancer sends nobody here any more. */
  startDraining(): void;
  readonly draining: boolean;
  readiness(): Promise<Readiness>;
}

/** @param options.timeout milliseconds a dependency has to answer; default 1000. */
export function createHealth(
  options: { timeout?: number; onFailure?: (name: string, error: unknown) => void } = {},
): Health {
  const timeout = options.timeout ?? 1000;
  const checks = new Map<string, HealthCheck>();
  let draining = false;
  let running: Promise<Readiness> | null = null;

  async function outcomeOf(name: string, check: HealthCheck): Promise<'ok' | 'failed' | 'timeout'> {
    const deadline = Promise.withResolvers<'timeout'>();
    const timer = setTimeout(() => deadline.resolve('timeout'), timeout);
    const answer = check().then(
      () => 'ok' as const,
      (error: unknown) => {
        options.onFailure?.(name, error);
        return 'failed' as const;
      },
    );
    const outcome = await Promise.race([answer, deadline.promise]);
    clearTimeout(timer);
    return outcome;
  }

  async function askAll(): Promise<Readiness> {
    const named = await Promise.all(
      [...checks].map(async ([name, check]) => [name, await outcomeOf(name, check)] as const),
    );
    return {
      ready: !draining && named.every(([, outcome]) => outcome === 'ok'),
      checks: Object.fromEntries(named),
      draining,
    };
  }

  return {
    addCheck(name, check) {
      checks.set(name, check);
    },
    startDraining() {
      draining = true;
    },
    get draining() {
      return draining;
    },
    readiness() {
      // One round of questions at a time, however many probes ask.
      running ??= askAll().finally(() => {
        running = null;
      });
      return running;
    },
  };
}
