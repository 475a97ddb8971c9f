import { LRUCache } from 'lru-cache';
import type { Target } from './target-pool.ts';

export interface StickySessions {
  /** The target answered a handshake with this Engine.IO session id. */
  learn(sid: string, target: Target): void;
  /** Where the session lives. Asking counts as use. */
  targetOf(sid: string): Target | undefined;
}

const SESSIONS_MAX = 100_000;
/**
 * Milliseconds without a request. A polling client asks again at least once in a ping interval and
 * timeout (45 s with Socket.IO's defaults); one that upgraded never asks again.
 */
const SESSION_TTL = 120_000;

/**
 * Long-polling sessions live in one gateway's memory. Clients outside of browsers keep no cookies,
 * so the `sid` that every later request carries is what tells where.
 */
export function createStickySessions(options: { max?: number; ttl?: number } = {}): StickySessions {
  const sessions = new LRUCache<string, Target>({
    max: options.max ?? SESSIONS_MAX,
    ttl: options.ttl ?? SESSION_TTL,
    updateAgeOnGet: true,
  });
  return {
    learn(sid, target) {
      sessions.set(sid, target);
    },
    targetOf(sid) {
      return sessions.get(sid);
    },
  };
}

/** The `sid` parameter of a request's URL. */
export function requestedSid(url: string): string | null {
  const query = url.indexOf('?');
  return query < 0 ? null : new URLSearchParams(url.slice(query)).get('sid') || null;
}

/** The session id in the begin of a polling handshake's answer, `0{"sid":"…",…}`, once it is there. */
export function handshakeSid(answer: string): string | null {
  return /^0\{[^{}]*?"sid":"([\w-]{1,64})"/.exec(answer)?.[1] ?? null;
}
