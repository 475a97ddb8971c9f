import {
  ownUserSchema,
  profileUpdateSchema,
  userSchema,
  userSearchSchema,
} from '@bambochat/protocol';
import { errorResponses, type RestApp } from '@bambochat/rest';
import type { DirectoryStore } from '@bambochat/stores';
import { z } from 'zod';
import { searchUsers } from './search-users.ts';
import { ownUser, updateProfile } from './update-profile.ts';

const tags = ['users'];
const security = [{ bearer: [] }];

/** `/api/users/*` and `/api/health`. */
export function registerUserRoutes(app: RestApp, deps: { directoryStore: DirectoryStore }): void {
  app.get(
    '/api/users/search',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Up to 20 users whose id begins so (case-sensitive), by id',
        querystring: userSearchSchema,
        response: { 200: z.array(userSchema), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => searchUsers(deps, request.query.id),
  );

  app.get(
    '/api/users/me',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Who asks',
        response: { 200: ownUserSchema, ...errorResponses(401, 404, 503) },
      },
    },
    async (request) => ownUser(deps, request.userId),
  );

  app.put(
    '/api/users/profile',
    {
      onRequest: app.requireUser,
      schema: {
        tags,
        security,
        summary: 'Change the display name, the bio or both',
        body: profileUpdateSchema,
        response: { 200: ownUserSchema, ...errorResponses(400, 401, 404, 503) },
      },
    },
    async (request) => updateProfile(deps, request.userId, request.body),
  );

  app.get(
    '/api/health',
    {
      schema: {
        tags: ['health'],
        summary: 'The service answers',
        response: { 200: z.object({ status: z.literal('OK'), timestamp: z.string() }) },
      },
    },
    async () => ({ status: 'OK' as const, timestamp: new Date().toISOString() }),
  );
}
