const LINES_MAX = 50_000;
const LINE_LENGTH_MAX = 20_000;
/** pino's number for `error`; `fatal` is above. */
const ERROR_LEVEL = 50;

/** Trouble that Node itself reports, outside the structured log. */
const runtimeTrouble =
  /unhandled ?rejection|uncaught|MaxListenersExceeded|DeprecationWarning|heap out of memory/i;

/** What a deployment printed, on both of its streams, as lines; bounded. */
export class ProgramOutput {
  readonly #lines: string[] = [];
  readonly #unfinished = new Map<string, string>();
  #dropped = 0;
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void = () => {}) {
    this.#onLine = onLine;
  }

  /** Takes a piece of a stream as it comes; lines may be cut anywhere. */
  write(stream: string, text: string): void {
    const pieces = ((this.#unfinished.get(stream) ?? '') + text).split('\n');
    this.#unfinished.set(stream, (pieces.pop() ?? '').slice(0, LINE_LENGTH_MAX));
    for (const line of pieces) {
      if (line.trim() === '') {
        continue;
      }
      this.#onLine(line);
      if (this.#lines.length < LINES_MAX) {
        this.#lines.push(line.slice(0, LINE_LENGTH_MAX));
      } else {
        this.#dropped += 1;
      }
    }
  }

  /** Lines that came after the first 50,000 and were not kept: what is not kept is not checked. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Lines at level `error` or `fatal`, and what Node complains about by itself. */
  get severe(): string[] {
    return this.#lines.filter(isSevere);
  }

  /** Structured lines with this message, in the order in which they came. */
  entries(msg: string): Record<string, unknown>[] {
    const part = JSON.stringify(msg);
    return this.#lines.flatMap((line) => {
      const entry = line.includes(part) ? parseObject(line) : null;
      return entry?.msg === msg ? [entry] : [];
    });
  }

  /** Lines in which one of the secrets occurs. */
  linesWith(secrets: readonly string[]): string[] {
    return this.#lines.filter((line) => secrets.some((secret) => line.includes(secret)));
  }

  /** The end of it, for error messages. */
  get tail(): string {
    return this.#lines.slice(-30).join('\n');
  }
}

function isSevere(line: string): boolean {
  const entry = parseObject(line);
  if (entry === null) {
    return runtimeTrouble.test(line);
  }
  return typeof entry.level === 'number' && entry.level >= ERROR_LEVEL;
}

/** A JSON object on a line of its own, or null. */
export function parseObject(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) {
    return null;
  }
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}
