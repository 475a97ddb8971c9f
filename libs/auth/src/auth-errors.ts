import { AppError } from '@bambochat/protocol';

/** No token was given. */
export function authRequired(): AppError {
  return new AppError('AUTH_REQUIRED', 'Authentication required');
}

/** One message for every defect: a forger learns nothing. The reason stays in `cause`, for logs. */
export function authInvalid(cause?: unknown): AppError {
  return new AppError('AUTH_INVALID', 'Invalid or expired token', { cause });
}

/** The token was good once. */
export function authExpired(): AppError {
  return new AppError('AUTH_EXPIRED', 'Invalid or expired token');
}
