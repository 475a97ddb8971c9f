/** Milliseconds without a call after which time has stood still meanwhile. */
export const STANDSTILL = 3_000;

/**
 * The time of leases, grace and claims: passes like real time while somebody looks at least every
 * {@link STANDSTILL} milliseconds, and neither jumps ahead nor goes back.
 */
export class PresenceClock {
  readonly #real: () => number;
  #tick: number;
  #paused = 0;

  constructor(real: () => number) {
    this.#real = real;
    this.#tick = Math.floor(real());
  }

  /** Makes time pass. */
  tick(): void {
    const now = Math.floor(this.#real());
    const passed = now - this.#tick;
    if (passed < 0 || passed > STANDSTILL) {
      this.#paused += passed;
    }
    this.#tick = now;
  }

  /** Real milliseconds at the last tick. */
  get now(): number {
    return this.#tick;
  }

  /** Milliseconds of the time that can stand still, at the last tick. */
  get logical(): number {
    return this.#tick - this.#paused;
  }
}
