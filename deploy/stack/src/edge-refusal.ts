/**
 * A request that the edge itself turns down. Code, status and wording are those of the error
 * catalogue in `@bambochat/protocol`, which a deployment does not import; the edge's tests compare.
 */
export class EdgeRefusal extends Error {
  override readonly name = 'EdgeRefusal';
  readonly code: 'NOT_FOUND' | 'VALIDATION' | 'UNAVAILABLE' | 'INTERNAL';
  readonly status: number;

  constructor(code: EdgeRefusal['code'], status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/** May succeed later. */
export function unavailable(what: string, cause?: unknown): EdgeRefusal {
  return new EdgeRefusal('UNAVAILABLE', 503, `${what} is not available, try again later`, {
    cause,
  });
}

export function routeNotFound(): EdgeRefusal {
  return new EdgeRefusal('NOT_FOUND', 404, 'Route not found');
}

export function malformedRequest(): EdgeRefusal {
  return new EdgeRefusal('VALIDATION', 400, 'The request is malformed');
}

/** Whatever else was thrown: the client learns nothing about it. */
export function toRefusal(error: unknown): EdgeRefusal {
  return error instanceof EdgeRefusal ? error : new EdgeRefusal('INTERNAL', 500, 'Internal error');
}
