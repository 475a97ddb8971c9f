import { accessClaimsSchema, userIdSchema } from '@bambochat/protocol';
import { z } from 'zod';

/** Claims of a refresh token; times in seconds since the epoch, as JWT (RFC 7519) has them. */
export const refreshClaimsSchema = z.object({
  sub: userIdSchema,
  userId: userIdSchema,
  /** The login session. */
  sid: z.string().min(1).max(64),
  iat: z.number(),
  exp: z.number(),
  /** The one token of the session that is not spent. */
  jti: z.string().min(1).max(64),
});
export type RefreshClaims = z.infer<typeof refreshClaimsSchema>;

export { accessClaimsSchema };

/** Refresh tokens have an audience of their own, so that neither kind passes for the other. */
export function refreshAudience(audience: string): string {
  return `${audience}:refresh`;
}

/** What every token must carry besides its own claims. */
export const registeredClaimsSchema = z.object({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  exp: z.number(),
  nbf: z.number().optional(),
});
