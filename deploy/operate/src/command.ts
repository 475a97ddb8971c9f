/** What a command may use of the process it runs in; tests give it their own. */
export interface CommandContext {
  readonly env: NodeJS.ProcessEnv;
  /** A line of the answer, on standard output. */
  print(line: string): void;
}

export interface Command {
  readonly usage: string;
  /**
   * @throws UsageError when the command line is wrong; RefusedError when it is right and the state of
   *   things forbids it; other errors when something cannot be reached.
   */
  run(args: string[], context: CommandContext): Promise<void>;
}

/** The command line is wrong; the message says what. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Nothing was done, because it would have done harm; the message says what to do first. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** @throws UsageError when neither the option nor the variable says it. */
export function required(value: string | undefined, what: string): string {
  if (value === undefined || value === '') {
    throw new UsageError(`${what} is missing`);
  }
  return value;
}

/** @throws UsageError when it is no whole number in the range. */
export function wholeNumber(text: string, what: string, minimum: number, maximum: number): number {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < minimum || number > maximum) {
    throw new UsageError(`${what} must be a whole number from ${minimum} to ${maximum}`);
  }
  return number;
}
