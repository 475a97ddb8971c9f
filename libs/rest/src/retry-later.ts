import { AppError } from '@bambochat/protocol';

/** An error that knows when the same request may succeed; the answer carries `Retry-After`. */
export class RetryLaterError extends AppError {
  /** Milliseconds. */
  readonly retryAfter: number;

  constructor(
    code: 'RATE_LIMITED' | 'OVERLOADED' | 'UNAVAILABLE',
    message: string,
    retryAfter: number,
  ) {
    super(code, message);
    this.retryAfter = retryAfter;
  }
}
