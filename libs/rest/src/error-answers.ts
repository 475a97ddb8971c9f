import { AppError, errorCatalogue, type RestError, restErrorSchema } from '@bambochat/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RetryLaterError } from './retry-later.ts';

/** Error statuses of a route, for its `response` schema. */
export function errorResponses<const Status extends number>(
  ...statuses: readonly Status[]
): Record<Status, typeof restErrorSchema> {
  return Object.fromEntries(statuses.map((status) => [status, restErrorSchema])) as Record<
    Status,
    typeof restErrorSchema
  >;
}

/** The body of every error answer. */
export function restErrorOf(error: AppError): RestError {
  return { message: error.message, code: error.code, status: error.status };
}

/** Answers with what the client may know; the rest goes to the log. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const shown = toAppError(error);
  if (shown.status >= 500) {
    const level = shown.code === 'INTERNAL' ? 'error' : 'warn';
    request.log[level]({ err: error, route: request.routeOptions?.url }, 'request failed');
  }
  if (error instanceof RetryLaterError) {
    void reply.header('retry-after', Math.max(1, Math.ceil(error.retryAfter / 1000)));
  }
  void reply.code(shown.status).send(restErrorOf(shown));
}

const mediaType = 'content-type: must be application/json';

/** What fastify itself finds wrong, in words of ours: its own may quote the request. */
const frameworkErrors: Record<string, () => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError('TOO_LARGE', 'Request body is too large'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new AppError('VALIDATION', mediaType),
  FST_ERR_CTP_INVALID_JSON_BODY: () => new AppError('VALIDATION', 'body: must be valid JSON'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new AppError('VALIDATION', 'content-length: must be the length of the body'),
  FST_ERR_BAD_URL: () => new AppError('VALIDATION', 'url: must be well-formed'),
  FST_ERR_MAX_PARAM_LENGTH: () => new AppError('NOT_FOUND', 'Route not found'),
  FST_ERR_HANDLER_TIMEOUT: () => new AppError('UNAVAILABLE', 'The request took too long'),
};

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) {
    return error;
  }
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? frameworkErrors[code] : undefined;
  if (known !== undefined) {
    return known();
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new AppError('VALIDATION', 'The request is malformed');
  }
  return new AppError('INTERNAL', 'Internal error');
}

/** For requests that are not even HTTP: there is no reply object yet. */
export function malformedHttpAnswer(): string {
  const body = JSON.stringify({
    message: 'The request is malformed',
    code: 'VALIDATION',
    status: errorCatalogue.VALIDATION.status,
  } satisfies RestError);
  return [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
