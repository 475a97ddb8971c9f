import { z } from 'zod';
import { isoTimestampSchema, userIdSchema, uuidV7Schema } from './ids.ts';

/** The most friends a user may be allowed: every change of a status is told to all of them. */
export const FRIENDS_MAX = 5000;

export const friendshipIdSchema = uuidV7Schema.brand<'FriendshipId'>();
export type FriendshipId = z.infer<typeof friendshipIdSchema>;

/** Of a blocked pair `requesterId` is who blocked. */
export const friendshipSchema = z
  .object({
    _id: friendshipIdSchema,
    requesterId: userIdSchema,
    addresseeId: userIdSchema,
    status: z.enum(['pending', 'accepted', 'blocked']),
    createdAt: isoTimestampSchema,
  })
  .meta({ id: 'Friendship' });
export type Friendship = z.infer<typeof friendshipSchema>;

/** `friend_request`, to all sockets of the addressee. */
export const friendRequestEventSchema = friendshipSchema.extend({
  requester: z.object({
    _id: userIdSchema,
    displayName: z.string(),
    avatar: z.string().nullable(),
  }),
});
export type FriendRequestEvent = z.infer<typeof friendRequestEventSchema>;

/** `friend_request_update`, to all sockets of the requester; a rejected request is gone. */
export const friendRequestUpdateSchema = friendshipSchema.extend({
  status: z.enum(['accepted', 'rejected']),
});
export type FriendRequestUpdate = z.infer<typeof friendRequestUpdateSchema>;

export const friendRequestSchema = z.object({ addresseeId: userIdSchema });
export const friendRequestAnswerSchema = z.object({ action: z.enum(['accept', 'reject']) });
