import { unavailable } from '@bambochat/protocol';

/** True when `work` settles within `ms`, else false. Never rejects. */
export async function settlesWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  const settled = work.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

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
