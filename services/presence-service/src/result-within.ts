import { unavailable } from '@bambochat/protocol';

/**
 * What `work` gives. It goes on by itself when it is given up.
 * @throws AppError `UNAVAILABLE` after `ms`, and whatever `work` throws before.
 */
export async function resultWithin<Result>(
  what: string,
  work: Promise<Result>,
  ms: number,
): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(unavailable(what)), Math.max(0, ms));
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
