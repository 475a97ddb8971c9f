import type { TokenIssuer, TokenVerifier } from '@bambochat/auth';
import type { EventBus } from '@bambochat/messaging';
import {
  loginAnswerSchema,
  loginSchema,
  refreshSchema,
  registerSchema,
  tokenPairSchema,
  userIdSchema,
} from '@bambochat/protocol';
import { errorResponses, type RestApp } from '@bambochat/rest';
import type { Logger, Metrics } from '@bambochat/runtime';
import type { DirectoryStore } from '@bambochat/stores';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Passwords } from './hash-password.ts';
import type { AttemptLimits } from './limit-attempts.ts';
import { logIn } from './log-in.ts';
import { logOut } from './log-out.ts';
import { refreshSession } from './refresh-session.ts';
import { registerAccount } from './register-account.ts';

const tags = ['auth'];

/** `/api/auth/*`. */
export function registerAuthRoutes(
  app: RestApp,
  deps: {
    directoryStore: DirectoryStore;
    bus: EventBus;
    passwords: Passwords;
    limits: AttemptLimits;
    issuer: TokenIssuer;
    verifier: TokenVerifier;
    logger: Logger;
    metrics: Metrics;
  },
): void {
  /** Before the body is read. */
  const limitAddress = (request: FastifyRequest) => deps.limits.countRequest(request.ip);

  app.post(
    '/api/auth/register',
    {
      onRequest: limitAddress,
      schema: {
        tags,
        summary: 'Open an account',
        body: registerSchema,
        response: {
          201: z.object({ message: z.string(), userId: userIdSchema }),
          ...errorResponses(400, 409, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const userId = await registerAccount(deps, request.body);
      return reply.code(201).send({ message: 'Account created', userId });
    },
  );

  app.post(
    '/api/auth/login',
    {
      onRequest: limitAddress,
      schema: {
        tags,
        summary: 'Exchange id and password for tokens',
        body: loginSchema,
        response: { 200: loginAnswerSchema, ...errorResponses(400, 401, 429, 503) },
      },
    },
    async (request) => logIn(deps, request.body),
  );

  app.post(
    '/api/auth/refresh',
    {
      schema: {
        tags,
        summary: 'Spend a refresh token for a new pair; a spent one revokes its session',
        body: refreshSchema,
        response: { 200: tokenPairSchema, ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => refreshSession(deps, request.body.refreshToken),
  );

  app.post(
    '/api/auth/logout',
    {
      schema: {
        tags,
        summary: 'End the session of a refresh token, or of the access token in the header',
        body: refreshSchema.partial().nullish(),
        response: { 200: z.object({ message: z.string() }), ...errorResponses(400, 401, 503) },
      },
    },
    async (request) => {
      await logOut(deps, {
        refreshToken: request.body?.refreshToken,
        authorization: request.headers.authorization,
      });
      return { message: 'Logged out' };
    },
  );
}
