import { createTokenIssuer } from '@bambochat/auth';
import type { ConversationId, UserId } from '@bambochat/protocol';
import { type Cast, conversationsIn, membersOf, userOf } from './cast.ts';

/** Everybody's: nobody outside of the run knows the accounts. */
const PASSWORD = 'only-for-a-load';
const CONCURRENCY = 8;
/** Milliseconds. */
const REQUEST_TIMEOUT = 60_000;
/** Members that are named in one request. */
const MEMBERS_PER_REQUEST = 500;

/** @throws Error with what the server answered */
export async function ask<Answer>(
  rest: string,
  method: string,
  path: string,
  options: { token?: string; json?: object } = {},
): Promise<Answer> {
  const response = await fetch(rest + path, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: options.json === undefined ? null : JSON.stringify(options.json),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`);
  }
  return JSON.parse(text) as Answer;
}

/** Runs `task` for 0 … count - 1, a few at a time. Rejects with the first failure. */
export async function forEach(
  count: number,
  task: (index: number) => Promise<void>,
  concurrency = CONCURRENCY,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(concurrency, count) }, async () => {
      while (next < count) {
        const index = next;
        next += 1;
        await task(index);
      }
    }),
  );
}

/** Gives access tokens: made with the key of the deployment, or by logging in. */
export function createTokens(rest: string, secret: string | null) {
  const issuer =
    secret === null
      ? null
      : createTokenIssuer({
          JWT_ALGORITHM: 'HS256',
          JWT_SECRET: secret,
          JWT_ISSUER: process.env.JWT_ISSUER || 'bambochat',
          JWT_AUDIENCE: process.env.JWT_AUDIENCE || 'bambochat',
          ACCESS_TOKEN_TTL: 24 * 3_600_000,
          REFRESH_TOKEN_TTL: 24 * 3_600_000,
        });
  return async (userId: UserId): Promise<string> => {
    if (issuer !== null) {
      return issuer.issueAccess({ userId, sessionId: null }).token;
    }
    const { accessToken } = await ask<{ accessToken: string }>(rest, 'POST', '/api/auth/login', {
      json: { id: userId, password: PASSWORD },
    });
    return accessToken;
  };
}

export type Tokens = ReturnType<typeof createTokens>;

/** Opens accounts for the first `count` users. */
export async function register(cast: Cast, rest: string, count: number): Promise<void> {
  await forEach(count, async (index) => {
    const id = userOf(cast, index);
    const json = { id, email: `${id}@load.example`, password: PASSWORD };
    await ask(rest, 'POST', '/api/auth/register', { json });
  });
}

/** Opens the conversations; gives their ids, in order. */
export async function openConversations(
  cast: Cast,
  rest: string,
  tokens: Tokens,
): Promise<ConversationId[]> {
  const ids: ConversationId[] = [];
  await forEach(conversationsIn(cast), async (index) => {
    const [admin = 0, ...others] = membersOf(cast, index);
    const names = others.map((other) => userOf(cast, other));
    const token = await tokens(userOf(cast, admin));
    const { conversation } = await ask<{ conversation: { _id: ConversationId } }>(
      rest,
      'POST',
      '/api/conversations',
      {
        token,
        json:
          names.length === 1
            ? { type: 'direct_message', participantIds: names }
            : {
                type: 'group',
                name: `load ${index}`,
                participantIds: names.slice(0, MEMBERS_PER_REQUEST),
              },
      },
    );
    for (let from = MEMBERS_PER_REQUEST; from < names.length; from += MEMBERS_PER_REQUEST) {
      const participantIds = names.slice(from, from + MEMBERS_PER_REQUEST);
      const path = `/api/conversations/${conversation._id}/participants`;
      await ask(rest, 'POST', path, { token, json: { participantIds } });
    }
    ids[index] = conversation._id;
  });
  return ids;
}
