/** Codes of the server (PROTOCOL.md, "Error codes"), and two of the client's own. */
export type ChatErrorCode =
  | 'VALIDATION'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'TOO_LARGE'
  | 'RATE_LIMITED'
  | 'AUTH_REQUIRED'
  | 'AUTH_INVALID'
  | 'AUTH_EXPIRED'
  | 'OVERLOADED'
  | 'UNAVAILABLE'
  | 'INTERNAL'
  /** The outbox could not be read or written: full, blocked, or broken. */
  | 'STORAGE'
  /** The client was closed, or the connection this needs is not there. */
  | 'CLOSED';

export class ChatError extends Error {
  override readonly name = 'ChatError';
  readonly code: ChatErrorCode;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;

  constructor(code: ChatErrorCode, message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Nobody answered, for now. */
export function unavailable(message: string, cause?: unknown): ChatError {
  return new ChatError('UNAVAILABLE', message, true, { cause });
}

export function closed(): ChatError {
  return new ChatError('CLOSED', 'The client was closed', false);
}

export function isAuthError(error: unknown): error is ChatError {
  return error instanceof ChatError && error.code.startsWith('AUTH_');
}

/** The error a server's answer names; what is no error of the catalogue is `INTERNAL`. */
export function errorFromWire(wire: unknown, fallback = 'Internal error'): ChatError {
  if (typeof wire === 'object' && wire !== null && 'code' in wire) {
    const { code, message, retryable } = wire as Record<string, unknown>;
    if (typeof code === 'string') {
      return new ChatError(
        code as ChatErrorCode,
        typeof message === 'string' ? message : fallback,
        retryable === true,
      );
    }
  }
  return new ChatError('INTERNAL', fallback, false);
}

/** Whatever was thrown, as an error of ours. */
export function asChatError(error: unknown): ChatError {
  if (error instanceof ChatError) {
    return error;
  }
  return unavailable(error instanceof Error ? error.message : 'Something failed', error);
}
