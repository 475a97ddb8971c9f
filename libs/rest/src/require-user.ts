import { authInvalid, authRequired, bearerToken, type TokenVerifier } from '@bambochat/auth';
import type { UserId } from '@bambochat/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';

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

/** Milliseconds that a session is believed to live: a page that loads asks for many things at once. */
const BELIEVED_FOR = 1000;
const SESSIONS_MAX = 50_000;

/** Whether a login session has not ended. Rejects with AppError `UNAVAILABLE` when nobody knows. */
export type SessionCheck = (sessionId: string) => Promise<boolean>;

/** @param isLive absent: sessions are not known, a token is good until it expires */
export function decorateWithUser(
  app: FastifyInstance,
  verifier: TokenVerifier,
  isLive?: SessionCheck,
): void {
  const live = new LRUCache<string, true>({ max: SESSIONS_MAX, ttl: BELIEVED_FOR });

  /** Tokens of others that hold our key name no session. */
  async function refuseEnded(sessionId: string | undefined): Promise<void> {
    if (isLive === undefined || sessionId === undefined || live.has(sessionId)) {
      return;
    }
    if (!(await isLive(sessionId))) {
      throw authInvalid();
    }
    live.set(sessionId, true);
  }

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
    const { userId, sid } = verifier.verifyAccess(token);
    await refuseEnded(sid);
    users.set(request, userId);
  });
}
