import { z } from 'zod';
import { userIdSchema } from './ids.ts';

/** Claims of an access token; times in seconds since the epoch, as JWT (RFC 7519) has them. */
export const accessClaimsSchema = z.object({
  sub: userIdSchema,
  userId: userIdSchema,
  /** The login session, so that a logout can name it. Absent in tokens of other issuers. */
  sid: z.string().optional(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
});
export type AccessClaims = z.infer<typeof accessClaimsSchema>;

export const refreshTokenSchema = z.object({ token: z.string().min(1).max(4096) });
