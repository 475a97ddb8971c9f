import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';

/** Microseconds; two minutes are as long as a run waits for anything. */
const HIGHEST = 120_000_000;

/** Latencies in an HDR histogram: three digits at every size, in a fixed amount of memory. */
export class Latency {
  readonly #histogram: Histogram;

  constructor(
    histogram: Histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: HIGHEST,
      numberOfSignificantValueDigits: 3,
    }),
  ) {
    this.#histogram = histogram;
  }

  /** Milliseconds. A clock may be a little behind another one: nothing is faster than a microsecond. */
  record(milliseconds: number): void {
    const value = Math.round(milliseconds * 1000);
    this.#histogram.recordValue(Math.min(Math.max(value, 1), HIGHEST));
  }

  add(encoded: string): void {
    this.#histogram.add(decodeFromCompressedBase64(encoded));
  }

  /** For another process to {@link add}. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Milliseconds; 0 when there is nothing. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(percent) / 1000;
  }

  summary(): LatencySummary {
    return {
      count: this.count,
      p50: this.percentile(50),
      p90: this.percentile(90),
      p99: this.percentile(99),
      p999: this.percentile(99.9),
      max: this.percentile(100),
    };
  }
}

/** Milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}
