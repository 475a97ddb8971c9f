import { z } from 'zod';
import { isoTimestampSchema, userIdSchema } from './ids.ts';
import { countCharacters, wellFormedString } from './text.ts';

/** A user as others see them. */
export const userSchema = z
  .object({
    _id: userIdSchema,
    displayName: z.string(),
    bio: z.string(),
    avatar: z.string().nullable(),
    createdAt: isoTimestampSchema,
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof userSchema>;

/** A user as they see themselves. */
export const ownUserSchema = userSchema
  .extend({ email: z.string(), isVerified: z.boolean() })
  .meta({ id: 'OwnUser' });
export type OwnUser = z.infer<typeof ownUserSchema>;

function textUpTo(limit: number, minimum: number) {
  return wellFormedString
    .refine((text) => text.length <= limit * 2 && countCharacters(text) <= limit, {
      error: `must have at most ${limit} characters`,
    })
    .refine((text) => text.trim().length >= minimum, { error: 'must not be empty' });
}

export const displayNameSchema = textUpTo(100, 1);
export const bioSchema = textUpTo(500, 0);
export const conversationNameSchema = textUpTo(100, 1);

export const emailSchema = z.email().max(254);

/** 8–128 characters; longer input is refused before any hashing is paid for. */
export const newPasswordSchema = wellFormedString
  .refine((text) => text.length >= 8, { error: 'must have at least 8 characters' })
  .refine((text) => text.length <= 128, { error: 'must have at most 128 characters' });

export const registerSchema = z.object({
  id: userIdSchema,
  email: emailSchema,
  password: newPasswordSchema,
});
export type Register = z.infer<typeof registerSchema>;

/** Login does not say why an id or a password cannot be right: it is simply wrong (401). */
export const loginSchema = z.object({
  id: z.string().min(1).max(256),
  password: z.string().min(1).max(1024),
});
export type Login = z.infer<typeof loginSchema>;

export const tokenPairSchema = z.object({ accessToken: z.string(), refreshToken: z.string() });
export type TokenPair = z.infer<typeof tokenPairSchema>;

export const loginAnswerSchema = tokenPairSchema.extend({
  user: z.object({
    _id: userIdSchema,
    id: userIdSchema,
    email: z.string(),
    displayName: z.string(),
  }),
});
export type LoginAnswer = z.infer<typeof loginAnswerSchema>;

export const refreshSchema = z.object({ refreshToken: z.string().min(1).max(4096) });

export const profileUpdateSchema = z
  .object({ displayName: displayNameSchema.optional(), bio: bioSchema.optional() })
  .refine((update) => update.displayName !== undefined || update.bio !== undefined, {
    error: 'displayName or bio is required',
  });
export type ProfileUpdate = z.infer<typeof profileUpdateSchema>;

/** A prefix of a user id. */
export const userSearchSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9_.-]{1,50}$/, {
    error: 'must be 1 to 50 characters of A-Z a-z 0-9 _ . -',
  }),
});
