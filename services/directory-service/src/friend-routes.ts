import {
  friendRequestAnswerSchema,
  friendRequestSchema,
  friendRequestUpdateSchema,
  friendshipIdSchema,
  friendshipSchema,
  onlineStatusSchema,
  userIdSchema,
  userSchema,
} from '@bambochat/protocol';
import { errorResponses, type RestApp } from '@bambochat/rest';
import type { StatusStore } from '@bambochat/stores';
import { z } from 'zod';
import { answerRequest } from './answer-request.ts';
import { endFriendship } from './end-friendship.ts';
import { listFriends, listStatuses } from './list-friends.ts';
import { type FriendDeps, requestFriendship } from './request-friendship.ts';

const tags = ['friends'];
const security = [{ bearer: [] }];
const LISTED_MAX = 1000;

export const friendPageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(LISTED_MAX).default(LISTED_MAX),
  offset: z.coerce.number().int().min(0).max(100_000).default(0),
});

/** `/api/friends`, without blocks. */
export function registerFriendRoutes(
  app: RestApp,
  deps: FriendDeps & { statusStore: Pick<StatusStore, 'statusesOf'> },
): void {
  app.get(
    '/api/friends',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Friends, by id',
        response: { 200: z.array(userSchema), ...errorResponses(401, 503) },
      },
    },
    async (request) => listFriends(deps, request.userId),
  );

  app.get(
    '/api/friends/presence',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Which friends are online, and when they were last here; by id',
        description: 'Friends who were never here are left out.',
        response: { 200: z.array(onlineStatusSchema), ...errorResponses(401, 503) },
      },
    },
    async (request) => listStatuses(deps, request.userId),
  );

  app.delete(
    '/api/friends/:userId',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'End a friendship, or take back a request to this user',
        params: z.object({ userId: userIdSchema }),
        response: {
          200: z.object({ message: z.string() }),
          ...errorResponses(400, 401, 404, 503),
        },
      },
    },
    async (request) => {
      const { status } = await endFriendship(deps, request.userId, request.params.userId);
      return { message: status === 'accepted' ? 'Friend removed' : 'Friend request taken back' };
    },
  );

  registerRequestRoutes(app, deps);
}

/** `/api/friends/requests`. */
function registerRequestRoutes(app: RestApp, deps: FriendDeps): void {
  app.get(
    '/api/friends/requests/pending',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Requests to the user that wait for an answer, newest first',
        querystring: friendPageSchema,
        response: { 200: z.array(friendshipSchema), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => deps.friendStore.receivedRequests(request.userId, request.query),
  );

  app.get(
    '/api/friends/requests/sent',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Requests by the user that wait for an answer, newest first',
        querystring: friendPageSchema,
        response: { 200: z.array(friendshipSchema), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => deps.friendStore.sentRequests(request.userId, request.query),
  );

  app.post(
    '/api/friends/requests',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Ask a user for friendship',
        description: 'Accepts at once when that user has asked before: the status is `accepted`.',
        body: friendRequestSchema,
        response: {
          201: z.object({ message: z.string(), friendship: friendshipSchema }),
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const friendship = await requestFriendship(deps, request.userId, request.body.addresseeId);
      const sent = friendship.status === 'pending';
      const message = sent ? 'Friend request sent' : 'Friend request accepted';
      return reply.code(201).send({ message, friendship });
    },
  );

  app.put(
    '/api/friends/requests/:id',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Accept or reject a request to the user',
        params: z.object({ id: friendshipIdSchema }),
        body: friendRequestAnswerSchema,
        response: {
          200: z.object({ message: z.string(), friendship: friendRequestUpdateSchema }),
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request) => {
      const { id } = request.params;
      const friendship = await answerRequest(deps, request.userId, id, request.body.action);
      return { message: `Friend request ${friendship.status}`, friendship };
    },
  );
}
