import type { WireError } from '@bambochat/protocol';
import { AppError, fromWireError, toWireError, wireErrorSchema } from '@bambochat/protocol';
import { encodeJson } from './json-payload.ts';

/** What travels back to who asked, as JSON. */
type Answer = { readonly ok: unknown } | { readonly error: WireError };

/**
 * A handler of requests that never rejects and runs at most `concurrency` times at once; past that
 * it answers `OVERLOADED` at once, so that callers do not queue up without a bound. Resolves to the
 * answer's JSON text, for {@link readAnswer}.
 */
export function answerRequest(
  handler: (payload: unknown) => Promise<unknown>,
  concurrency: number,
): (payload: unknown) => Promise<string> {
  let running = 0;
  return async (payload) => {
    if (running >= concurrency) return failure(tooManyRequests());
    running += 1;
    try {
      const json = encodeJson({ ok: (await handler(payload)) ?? null } satisfies Answer);
      return json ?? failure(new TypeError('the answer is not JSON'));
    } catch (error) {
      return failure(error);
    } finally {
      running -= 1;
    }
  };
}

/**
 * @throws AppError of the responder, or `INTERNAL` when the text is no answer.
 */
export function readAnswer(json: string): unknown {
  const answer: unknown = parse(json);
  if (typeof answer === 'object' && answer !== null) {
    if ('ok' in answer) return answer.ok;
    const error = wireErrorSchema.safeParse('error' in answer ? answer.error : undefined);
    if (error.success) throw fromWireError(error.data);
  }
  throw new AppError('INTERNAL', 'Internal error');
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function failure(error: unknown): string {
  return JSON.stringify({ error: toWireError(error) } satisfies Answer);
}

function tooManyRequests(): AppError {
  return new AppError('OVERLOADED', 'Too many requests at once, try again later');
}
