import { authRequired, bearerToken, type TokenVerifier } from '@bambochat/auth';
import type { UserId } from '@bambochat/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * `onRequest` hook of routes for users: answers 401 unless the request carries a good access
     * token, and sets `request.userId`.
     */
    requireUser: (request: FastifyRequest) => Promise<void>;
  }
  interface FastifyRequest {
    /** Who asks. Only in routes with `requireUser`; elsewhere reading it is a bug and throws. */
    userId: UserId;
  }
}

const users = new WeakMap<FastifyRequest, UserId>();

export function decorateWithUser(app: FastifyInstance, verifier: TokenVerifier): void {
  app.decorateRequest('userId', {
    getter(this: FastifyRequest) {
      const userId = users.get(this);
      if (userId === undefined) {
        throw new Error('request.userId was read in a route without requireUser');
      }
      return userId;
    },
  });
  app.decorate('requireUser', async (request: FastifyRequest) => {
    const token = bearerToken(request.headers.authorization);
    if (token === null) {
      throw authRequired();
    }
    users.set(request, verifier.verifyAccess(token).userId);
  });
}
