import { AppError, unavailable } from '@bambochat/protocol';
import { NatsError } from 'nats';

const queue = 'The message queue';

/** What a JetStream API answer carries when it is an error. */
export interface JetStreamApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Error numbers of the server that do not mean "later". */
const overloadedNumbers = new Set([
  10023, // insufficient resources
  10028, // resource limits exceeded for account
  10047, // insufficient storage resources available
]);
const tooLargeNumbers = new Set([10054]); // message size exceeds maximum allowed
const storeFailed = 10077;

/** The AppError for a publish that the stream refused. */
export function refusedPublish(error: JetStreamApiError): AppError {
  const cause = new Error(`${error.description ?? 'no description'} (${error.err_code ?? ''})`);
  const number = error.err_code ?? 0;
  if (tooLargeNumbers.has(number)) return tooLarge(cause);
  const full = number === storeFailed && /maximum (messages|bytes)/.test(error.description ?? '');
  if (full || overloadedNumbers.has(number)) {
    return new AppError('OVERLOADED', 'Too many messages are waiting, try again later', { cause });
  }
  return unavailable(queue, cause);
}

/**
 * The AppError for what nats.js threw: no responders, timeouts and lost connections all mean that
 * the same call may succeed later.
 */
export function natsFailure(error: unknown, what = queue): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof NatsError && error.code === 'MAX_PAYLOAD_EXCEEDED') return tooLarge(error);
  return unavailable(what, error);
}

export function isNoResponders(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return cause instanceof NatsError && cause.code === '503';
}

export function tooLarge(cause?: unknown): AppError {
  return new AppError('TOO_LARGE', 'The command is too large', { cause });
}
