import { asChatError, ChatError, type ChatErrorCode, unavailable } from './chat-error.ts';
import type {
  Conversation,
  Friendship,
  LoginAnswer,
  MessagesPage,
  OnlineStatus,
  OwnUser,
  SyncAnswer,
  TokenPair,
  User,
} from './shapes.ts';

const DEADLINE = 30_000;

export interface RestRequest {
  query?: Record<string, string | number | undefined>;
  /** Sent as JSON. */
  json?: unknown;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * One request. `path` is appended to the path of `url`.
 *
 * @throws ChatError what the server answered; `UNAVAILABLE` when it cannot be reached, answers
 *   after more than 30 s, or a proxy answers in its place
 */
export async function requestJson<Answer>(
  target: { url: string; fetch: Fetch; token?: string },
  method: string,
  path: string,
  { query, json }: RestRequest = {},
): Promise<Answer> {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  const address = `${target.url}${path}${given.length === 0 ? '' : `?${search}`}`;
  let response: Response;
  let body: unknown;
  try {
    response = await target.fetch(address, {
      method,
      headers: {
        ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      signal: AbortSignal.timeout(DEADLINE),
    });
    const text = await response.text();
    body = text === '' ? undefined : parse(text);
  } catch (error) {
    throw unavailable('The server cannot be reached', error);
  }
  if (response.ok) {
    return body as Answer;
  }
  throw errorOf(response.status, body);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, body: unknown): ChatError {
  const retryable = status === 429 || status === 502 || status === 503 || status === 504;
  const { code, message } = (body ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string') {
    const text = typeof message === 'string' ? message : code;
    return new ChatError(code as ChatErrorCode, text, retryable);
  }
  return status >= 500 || status === 429
    ? unavailable(`The server answered ${status}`)
    : new ChatError('INTERNAL', `The server answered ${status}`, false);
}

/** Calls in the name of the client's user. Every one throws a ChatError when it fails. */
export interface RestClient {
  /** Any request of the REST contract. */
  request<Answer>(method: string, path: string, options?: RestRequest): Promise<Answer>;
  me(): Promise<OwnUser>;
  searchUsers(prefix: string): Promise<User[]>;
  updateProfile(profile: { displayName?: string; bio?: string }): Promise<OwnUser>;
  conversations(): Promise<Conversation[]>;
  createConversation(options: {
    type: 'direct_message' | 'group';
    name?: string;
    participantIds: string[];
  }): Promise<{ conversation: Conversation; isExisting: boolean }>;
  addParticipants(conversationId: string, participantIds: string[]): Promise<void>;
  /** Removing oneself is leaving. */
  removeParticipant(conversationId: string, userId: string): Promise<void>;
  messages(query: {
    conversationId: string;
    before?: number | string;
    after?: number | string;
    limit?: number;
  }): Promise<MessagesPage>;
  sync(query: { since?: string; limit?: number }): Promise<SyncAnswer>;
  friends(): Promise<User[]>;
  friendRequests(direction: 'pending' | 'sent'): Promise<Friendship[]>;
  requestFriend(addresseeId: string): Promise<Friendship>;
  answerFriendRequest(friendshipId: string, action: 'accept' | 'reject'): Promise<void>;
  removeFriend(userId: string): Promise<void>;
  /** Friends who were ever here: who is online, and since when the others are not. */
  friendStatuses(): Promise<OnlineStatus[]>;
  /** Whom the user blocks; they are the `addresseeId`. */
  blocks(): Promise<Friendship[]>;
  blockUser(userId: string): Promise<void>;
  unblockUser(userId: string): Promise<void>;
}

/** @param options.tokens a token that the server calls expired is renewed, and the request repeated */
export function createRestClient(options: {
  url: string;
  fetch: Fetch;
  tokens: {
    readonly renewable: boolean;
    get(): Promise<string>;
    renew(refused?: boolean): Promise<string>;
  };
}): RestClient {
  const { url, fetch, tokens } = options;

  async function request<Answer>(
    method: string,
    path: string,
    body?: RestRequest,
  ): Promise<Answer> {
    const token = await tokens.get();
    try {
      return await requestJson<Answer>({ url, fetch, token }, method, path, body);
    } catch (error) {
      if (asChatError(error).code !== 'AUTH_EXPIRED' || !tokens.renewable) {
        throw error;
      }
      const renewed = await tokens.renew(true);
      return requestJson<Answer>({ url, fetch, token: renewed }, method, path, body);
    }
  }

  const idIn = encodeURIComponent;
  return {
    request,
    me: () => request('GET', '/api/users/me'),
    searchUsers: (id) => request('GET', '/api/users/search', { query: { id } }),
    updateProfile: (json) => request('PUT', '/api/users/profile', { json }),
    conversations: () => request('GET', '/api/conversations'),
    createConversation: (json) => request('POST', '/api/conversations', { json }),
    async addParticipants(conversationId, participantIds) {
      await request('POST', `/api/conversations/${idIn(conversationId)}/participants`, {
        json: { participantIds },
      });
    },
    async removeParticipant(conversationId, userId) {
      await request(
        'DELETE',
        `/api/conversations/${idIn(conversationId)}/participants/${idIn(userId)}`,
      );
    },
    messages: (query) => request('GET', '/messages', { query }),
    sync: (query) => request('GET', '/sync', { query }),
    friends: () => request('GET', '/api/friends'),
    friendRequests: (direction) => request('GET', `/api/friends/requests/${direction}`),
    async requestFriend(addresseeId) {
      const json = { addresseeId };
      const answer = await request<{ friendship: Friendship }>('POST', '/api/friends/requests', {
        json,
      });
      return answer.friendship;
    },
    async answerFriendRequest(friendshipId, action) {
      await request('PUT', `/api/friends/requests/${idIn(friendshipId)}`, { json: { action } });
    },
    async removeFriend(userId) {
      await request('DELETE', `/api/friends/${idIn(userId)}`);
    },
    friendStatuses: () => request('GET', '/api/friends/presence'),
    blocks: () => request('GET', '/api/friends/blocks'),
    async blockUser(userId) {
      await request('PUT', `/api/friends/blocks/${idIn(userId)}`);
    },
    async unblockUser(userId) {
      await request('DELETE', `/api/friends/blocks/${idIn(userId)}`);
    },
  };
}

/** Opens an account; log in afterwards. */
export async function register(
  url: string,
  account: { id: string; email: string; password: string },
  fetch: Fetch = globalThis.fetch.bind(globalThis),
): Promise<void> {
  await requestJson({ url, fetch }, 'POST', '/api/auth/register', { json: account });
}

export function requestLogin(
  target: { url: string; fetch: Fetch },
  credentials: { id: string; password: string },
): Promise<LoginAnswer> {
  return requestJson(target, 'POST', '/api/auth/login', { json: credentials });
}

export function requestTokens(
  target: { url: string; fetch: Fetch },
  refreshToken: string,
): Promise<TokenPair> {
  return requestJson(target, 'POST', '/api/auth/refresh', { json: { refreshToken } });
}
