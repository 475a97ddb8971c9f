import {
  conversationIdSchema,
  conversationMessagesQuerySchema,
  messageSchema,
  messagesPageSchema,
  messagesQuerySchema,
  restErrorSchema,
  syncAnswerSchema,
  syncQuerySchema,
} from '@bambochat/protocol';
import type { RestApp } from '@bambochat/rest';
import { z } from 'zod';
import { type HistoryStores, readPage } from './read-page.ts';
import { type SyncStores, sync } from './sync.ts';

const errors = { 400: restErrorSchema, 401: restErrorSchema, 404: restErrorSchema };

/** `GET /messages`, `GET /sync` and `GET /api/conversations/:id/messages`. */
export function registerHistoryRoutes(app: RestApp, stores: HistoryStores & SyncStores): void {
  app.get(
    '/messages',
    {
      onRequest: app.requireUser,
      schema: {
        tags: ['history'],
        summary: 'A page of a conversation, in rising seq',
        querystring: messagesQuerySchema,
        response: { 200: messagesPageSchema, ...errors },
        security: [{ bearer: [] }],
      },
    },
    (request) => readPage(stores, request.userId, request.query),
  );

  app.get(
    '/sync',
    {
      onRequest: app.requireUser,
      schema: {
        tags: ['history'],
        summary: 'What the user missed, in all conversations, since an earlier answer',
        description:
          'Without `since`: all that is unread, and every conversation. Ask again with the new token until `hasMore` is false. An answer 400 for a token that was good once means that it has expired: begin anew.',
        querystring: syncQuerySchema,
        response: { 200: syncAnswerSchema, 400: restErrorSchema, 401: restErrorSchema },
        security: [{ bearer: [] }],
      },
    },
    (request) => sync(stores, request.userId, request.query),
  );

  app.get(
    '/api/conversations/:id/messages',
    {
      onRequest: app.requireUser,
      schema: {
        tags: ['history'],
        summary: 'Messages older than a cursor, newest first',
        params: z.object({ id: conversationIdSchema }),
        querystring: conversationMessagesQuerySchema,
        response: { 200: z.array(messageSchema), ...errors },
        security: [{ bearer: [] }],
      },
    },
    async (request) => {
      const { messages } = await readPage(stores, request.userId, {
        conversationId: request.params.id,
        before: request.query.cursor,
        limit: request.query.limit,
      });
      return messages.toReversed();
    },
  );
}
