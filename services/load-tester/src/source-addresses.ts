/** Of the loopback network that are tried, one after the other. */
const LOOPBACK_MAX = 64;

/**
 * Where connections come from. One address has about 28,000 ports for each target; when they are used
 * up, the next address has as many. On a machine whose whole network 127.0.0.0/8 is itself (Linux)
 * there are many for targets on loopback; for others they have to be named.
 */
export class SourceAddresses {
  readonly #named: readonly string[];
  /** For each target, how many addresses are used up. */
  readonly #usedUp = new Map<string, number>();

  constructor(named: readonly string[]) {
    this.#named = named;
  }

  /** Undefined: the system chooses. */
  for(target: string): string | undefined {
    return this.#of(target)[this.#usedUp.get(target) ?? 0];
  }

  /** No port was left at `address`: whether there is another address. */
  next(target: string, address: string | undefined): boolean {
    const used = this.#usedUp.get(target) ?? 0;
    if (this.#of(target)[used] !== address) {
      // Another connection has found that out already.
      return true;
    }
    if (used + 1 >= this.#of(target).length) {
      return false;
    }
    this.#usedUp.set(target, used + 1);
    return true;
  }

  #of(target: string): readonly (string | undefined)[] {
    if (this.#named.length > 0) {
      return this.#named;
    }
    return isLoopback(new URL(target).hostname) ? loopbackAddresses : [undefined];
  }
}

const loopbackAddresses = [
  undefined,
  ...Array.from({ length: LOOPBACK_MAX - 1 }, (_, index) => `127.0.0.${index + 2}`),
];

function isLoopback(host: string): boolean {
  return host === 'localhost' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What the system says when an address has no port left. */
export function isOutOfPorts(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'EADDRINUSE';
}
