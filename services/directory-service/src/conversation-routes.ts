import {
  addParticipantsSchema,
  conversationIdSchema,
  conversationSchema,
  createConversationSchema,
  userIdSchema,
} from '@bambochat/protocol';
import { errorResponses, type RestApp } from '@bambochat/rest';
import { z } from 'zod';
import { addParticipants } from './add-participants.ts';
import { type ConversationDeps, createConversation } from './create-conversation.ts';
import { listConversations } from './list-conversations.ts';
import { removeParticipant } from './remove-participant.ts';

const tags = ['conversations'];
const security = [{ bearer: [] }];
const LISTED_MAX = 1000;

const openedSchema = z.object({ conversation: conversationSchema, isExisting: z.boolean() });

/** `/api/conversations`. */
export function registerConversationRoutes(app: RestApp, deps: ConversationDeps): void {
  app.post(
    '/api/conversations',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Open a group, or the one direct conversation with a user',
        body: createConversationSchema,
        response: {
          200: openedSchema,
          201: openedSchema,
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request, reply) => {
      const opened = await createConversation(deps, request.userId, request.body);
      return reply.code(opened.isExisting ? 200 : 201).send(opened);
    },
  );

  app.get(
    '/api/conversations',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Conversations, latest activity first, each with up to 200 participants',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(LISTED_MAX).default(LISTED_MAX),
          offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
        }),
        response: { 200: z.array(conversationSchema), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => listConversations(deps, request.userId, request.query),
  );

  app.post(
    '/api/conversations/:id/participants',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Add users to a group; any member may',
        params: z.object({ id: conversationIdSchema }),
        body: addParticipantsSchema,
        response: {
          200: z.object({ message: z.string(), conversation: conversationSchema }),
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request) => ({
      message: 'Participants added',
      conversation: await addParticipants(
        deps,
        request.userId,
        request.params.id,
        request.body.participantIds,
      ),
    }),
  );

  app.delete(
    '/api/conversations/:id/participants/:userId',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Leave a group, or as its admin remove somebody',
        params: z.object({ id: conversationIdSchema, userId: userIdSchema }),
        response: {
          200: z.object({ message: z.string() }),
          ...errorResponses(400, 401, 404, 409, 503),
        },
      },
    },
    async (request) => {
      await removeParticipant(deps, request.userId, request.params.id, request.params.userId);
      return { message: 'Participant removed' };
    },
  );
}
