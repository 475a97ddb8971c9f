import { AppError } from '@bambochat/protocol';
import type { z } from 'zod';

/** @throws AppError `VALIDATION` when a request from the bus does not fit the schema. */
export function understandRequest<Schema extends z.ZodType>(
  schema: Schema,
  payload: unknown,
): z.infer<Schema> {
  const result = schema.safeParse(payload);
  if (!result.success) {
    throw new AppError('VALIDATION', 'The request is malformed', { cause: result.error });
  }
  return result.data;
}
