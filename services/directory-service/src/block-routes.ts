import { friendshipSchema, userIdSchema } from '@bambochat/protocol';
import { errorResponses, type RestApp } from '@bambochat/rest';
import { z } from 'zod';
import { blockUser, unblockUser } from './block-user.ts';
import { friendPageSchema } from './friend-routes.ts';
import type { FriendDeps } from './request-friendship.ts';

const tags = ['friends'];
const security = [{ bearer: [] }];

/** `/api/friends/blocks`. */
export function registerBlockRoutes(
  app: RestApp,
  deps: Pick<FriendDeps, 'directoryStore' | 'friendStore' | 'tellFriends'> & {
    blocksPerUser: number;
  },
): void {
  app.get(
    '/api/friends/blocks',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Whom the user blocks, newest first; the user is `requesterId`',
        querystring: friendPageSchema,
        response: { 200: z.array(friendshipSchema), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => deps.friendStore.blocksOf(request.userId, request.query),
  );

  app.put(
    '/api/friends/blocks/:userId',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Block a user; ends friendship and requests between the two',
        description:
          'A blocked user can neither ask for friendship nor open a direct conversation nor see ' +
          'presence: the blocker does not exist for them. They are not told. Can be repeated.',
        params: z.object({ userId: userIdSchema }),
        response: {
          200: z.object({ message: z.string(), friendship: friendshipSchema }),
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request) => ({
      message: 'User blocked',
      friendship: await blockUser(deps, request.userId, request.params.userId),
    }),
  );

  app.delete(
    '/api/friends/blocks/:userId',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Unblock a user; what was ended stays ended',
        params: z.object({ userId: userIdSchema }),
        response: {
          200: z.object({ message: z.string() }),
          ...errorResponses(400, 401, 404, 503),
        },
      },
    },
    async (request) => {
      await unblockUser(deps, request.userId, request.params.userId);
      return { message: 'User unblocked' };
    },
  );
}
