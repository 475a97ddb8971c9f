import { z } from 'zod';

/**
 * The one catalogue of errors a client can meet (PROTOCOL.md, "Error codes").
 *
 * `number` is stable for ever and safe to alert on; 1xxx is the caller's fault, 2xxx is about who
 * the caller is, 3xxx is the server's state. `retryable` says whether the same request may succeed
 * later without being changed. `status` is the HTTP status of the REST services.
 */
export const errorCatalogue = {
  VALIDATION: { number: 1001, retryable: false, status: 400 },
  NOT_FOUND: { number: 1002, retryable: false, status: 404 },
  CONFLICT: { number: 1003, retryable: false, status: 409 },
  TOO_LARGE: { number: 1004, retryable: false, status: 413 },
  RATE_LIMITED: { number: 1005, retryable: true, status: 429 },
  AUTH_REQUIRED: { number: 2001, retryable: false, status: 401 },
  AUTH_INVALID: { number: 2002, retryable: false, status: 401 },
  AUTH_EXPIRED: { number: 2003, retryable: false, status: 401 },
  OVERLOADED: { number: 3001, retryable: true, status: 503 },
  UNAVAILABLE: { number: 3002, retryable: true, status: 503 },
  INTERNAL: { number: 3003, retryable: false, status: 500 },
} as const satisfies Record<string, { number: number; retryable: boolean; status: number }>;

export type ErrorCode = keyof typeof errorCatalogue;

const errorCodes = Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]];

export const errorCodeSchema = z.enum(errorCodes);

/** What a client sees of a failure: never a stack trace, a driver's message or an address. */
export const wireErrorSchema = z.object({
  code: errorCodeSchema,
  message: z.string(),
  retryable: z.boolean(),
});
export type WireError = z.infer<typeof wireErrorSchema>;

/** Body of every REST error answer. */
export const restErrorSchema = z.object({
  message: z.string(),
  code: errorCodeSchema,
  status: z.number().int(),
});
export type RestError = z.infer<typeof restErrorSchema>;

/**
 * An error whose message may be shown to a client. Anything else that is thrown becomes `INTERNAL`
 * at the edge (see {@link toWireError}), and its own message stays in the log.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get number(): number {
    return errorCatalogue[this.code].number;
  }

  get retryable(): boolean {
    return errorCatalogue[this.code].retryable;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }
}

/** A backing service cannot be reached just now; the same call may succeed later. */
export function unavailable(what: string, cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', `${what} is not available, try again later`, { cause });
}

/** The one answer for "absent" and "forbidden", so that nobody learns what exists. */
export function notFound(what: string): AppError {
  return new AppError('NOT_FOUND', `${what} not found`);
}

/** True for errors that say "later", never for a bug or a bad request. */
export function isTransient(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'UNAVAILABLE' || error.code === 'OVERLOADED');
}

/** Turns whatever was thrown into what a client may see. */
export function toWireError(error: unknown): WireError {
  if (error instanceof AppError) {
    return { code: error.code, message: error.message, retryable: error.retryable };
  }
  return {
    code: 'INTERNAL',
    message: 'Internal error',
    retryable: errorCatalogue.INTERNAL.retryable,
  };
}

/** Turns a wire error that another service sent back into an error to throw. */
export function fromWireError(error: WireError): AppError {
  return new AppError(error.code, error.message);
}
