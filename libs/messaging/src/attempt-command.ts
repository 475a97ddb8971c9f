import { isTransient } from '@bambochat/protocol';
import { jitteredBackoff, pause } from './backoff.ts';
import type { CommandDelivery, CommandHandler, ConsumeOptions } from './command-log.ts';

/** {@link ConsumeOptions} with every default filled in. */
export interface ConsumePolicy {
  readonly maxAttempts: number;
  readonly backoff: number;
  readonly maxBackoff: number;
  readonly onDeadLetter: NonNullable<ConsumeOptions['onDeadLetter']>;
  readonly onFailure: NonNullable<ConsumeOptions['onFailure']>;
}

export function consumePolicy(options: ConsumeOptions = {}): ConsumePolicy {
  return {
    maxAttempts: Math.max(1, options.maxAttempts ?? 5),
    backoff: options.backoff ?? 50,
    maxBackoff: options.maxBackoff ?? 2000,
    onDeadLetter: options.onDeadLetter ?? (() => {}),
    onFailure: options.onFailure ?? (() => {}),
  };
}

/** What every adapter knows about a delivery before the first try. */
export type DeliveryFacts = Omit<CommandDelivery, 'attempt' | 'signal'>;

export type CommandOutcome =
  | { readonly kind: 'handled' }
  /** Failed by itself `maxAttempts` times: put it aside. */
  | { readonly kind: 'failed'; readonly delivery: CommandDelivery; readonly error: unknown }
  /** The consumer stopped first: give it to somebody else. */
  | { readonly kind: 'released' };

/** How a consumer winds down: first no new try begins, later running tries are told to give up. */
export interface WindDown {
  /** No try begins once this has aborted; a pause between tries ends at once. */
  readonly stopping: AbortSignal;
  /** Handed to the handler; a handler that ignores it is left behind after {@link ABORT_GRACE}. */
  readonly finishing: AbortSignal;
}

/** Time for a handler to settle after its signal aborted, before its command is given away. */
export const ABORT_GRACE = 200;

/**
 * Tries one command in place until it is handled, has failed by itself too often, or the consumer
 * stops. In place, because giving a failed command back and taking it again would let commands
 * behind it overtake, or count store outages against it. Never rejects.
 */
export async function attemptCommand(
  facts: DeliveryFacts,
  handler: CommandHandler,
  policy: ConsumePolicy,
  windDown: WindDown,
): Promise<CommandOutcome> {
  let attempt = 1;
  for (let failures = 1; ; failures += 1) {
    if (windDown.stopping.aborted) return { kind: 'released' };
    const delivery: CommandDelivery = {
      ...facts,
      attempt,
      // The try before may have done a part of it, and nobody else did anything since.
      redelivered: facts.redelivered || failures > 1,
      contiguous: facts.contiguous || failures > 1,
      signal: windDown.finishing,
    };
    const result = await tryOnce(handler, delivery);
    if (result === 'handled') return { kind: 'handled' };
    if (result === 'abandoned') return { kind: 'released' };
    report(policy, delivery, result.error);
    if (windDown.finishing.aborted) return { kind: 'released' };
    if (!isTransient(result.error)) {
      if (attempt >= policy.maxAttempts) return { kind: 'failed', delivery, error: result.error };
      attempt += 1;
    }
    await pause(jitteredBackoff(failures, policy.backoff, policy.maxBackoff), windDown.stopping);
  }
}

async function tryOnce(
  handler: CommandHandler,
  delivery: CommandDelivery,
): Promise<'handled' | 'abandoned' | { error: unknown }> {
  const { signal } = delivery;
  let onAbort: (() => void) | undefined;
  let grace: NodeJS.Timeout | undefined;
  const abandoned = new Promise<'abandoned'>((resolve) => {
    onAbort = () => {
      grace = setTimeout(resolve, ABORT_GRACE, 'abandoned');
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    // `run` never rejects, so a handler left behind cannot become an unhandled rejection.
    return await Promise.race([run(handler, delivery), abandoned]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
    clearTimeout(grace);
  }
}

async function run(
  handler: CommandHandler,
  delivery: CommandDelivery,
): Promise<'handled' | { error: unknown }> {
  try {
    await handler(delivery);
    return 'handled';
  } catch (error) {
    return { error };
  }
}

/** A listener that throws must not decide about the command. */
function report(policy: ConsumePolicy, delivery: CommandDelivery, error: unknown): void {
  try {
    policy.onFailure(delivery, error);
  } catch {
    // The listener's own problem; there is nobody to tell.
  }
}

/** Tells `onDeadLetter`; what it throws is swallowed, because the dead letter is stored already. */
export async function announceDeadLetter(
  policy: ConsumePolicy,
  delivery: CommandDelivery,
  error: unknown,
): Promise<void> {
  try {
    await policy.onDeadLetter(delivery, error);
  } catch {
    // As above.
  }
}

/** One line that an operator can read, bounded, from whatever was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return boundReason(text);
}

export function boundReason(reason: string): string {
  return reason
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 500);
}
