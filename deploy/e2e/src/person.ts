import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { type ChatConnection, connect } from './chat-connection.ts';
import type { Conversation, Message, MessagesPage } from './contract-shapes.ts';
import { type RestAnswer, type RestRequest, request } from './rest-client.ts';
import { gatewayUrl, type Target } from './target.ts';

/** Passwords, tokens and texts that must never be found in a log. Bounded by what a run makes. */
const secrets = new Set<string>();

export function keepSecret(text: string): string {
  secrets.add(text);
  return text;
}

export function allSecrets(): string[] {
  return [...secrets];
}

/** A text that no log line can hold by chance, and that none may hold. */
export function privateText(prefix: string): string {
  return keepSecret(`${prefix} ${randomName()}`);
}

export function randomName(): string {
  return randomBytes(9).toString('hex');
}

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Somebody with an account, logged in. */
export interface Person extends TokenPair {
  readonly userId: string;
  readonly email: string;
  readonly password: string;
  /** A REST request in this person's name. */
  rest(method: string, path: string, options?: RestRequest): Promise<RestAnswer>;
  /** `GET /messages`; asserts 200. */
  page(conversationId: string, query?: Record<string, string | number>): Promise<MessagesPage>;
  /** The whole conversation, read forward page by page. */
  history(conversationId: string): Promise<Message[]>;
}

/** Registers and logs in over REST. */
export async function newPerson(target: Target, prefix: string): Promise<Person> {
  const userId = `${prefix}-${randomName()}`;
  const email = keepSecret(`${userId}@mail.example`);
  const password = keepSecret(`pw-${randomName()}`);
  const registered = await request(target.restUrl, 'POST', '/api/auth/register', {
    json: { id: userId, email, password },
  });
  expect(registered).toMatchObject({ status: 201, body: { userId } });
  return logIn(target, { userId, email, password });
}

/** A new login session of somebody who has an account. */
export async function logIn(
  target: Target,
  account: Pick<Person, 'userId' | 'email' | 'password'>,
): Promise<Person> {
  const { userId, email, password } = account;
  const answer = await request(target.restUrl, 'POST', '/api/auth/login', {
    json: { id: userId, password },
  });
  expect(answer.status).toBe(200);
  const { accessToken, refreshToken } = answer.body as TokenPair;
  keepSecret(accessToken);
  keepSecret(refreshToken);

  const rest: Person['rest'] = (method, path, options) =>
    request(target.restUrl, method, path, { token: accessToken, ...options });

  const page: Person['page'] = async (conversationId, query) => {
    const read = await rest('GET', '/messages', { query: { conversationId, ...query } });
    expect(read.status, JSON.stringify(read.body)).toBe(200);
    return read.body as MessagesPage;
  };

  return {
    userId,
    email,
    password,
    accessToken,
    refreshToken,
    rest,
    page,
    async history(conversationId) {
      const messages: Message[] = [];
      for (let hasMore = true; hasMore; ) {
        const next = await page(conversationId, { after: messages.at(-1)?.seq ?? 0, limit: 200 });
        messages.push(...next.messages);
        hasMore = next.hasMore;
      }
      return messages;
    },
  };
}

/** People with the same prefix. */
export function newPeople(target: Target, prefix: string, count: number): Promise<Person[]> {
  return Promise.all(Array.from({ length: count }, () => newPerson(target, prefix)));
}

/** Connects a person over WebSocket. @param gateway index of the gateway, taken modulo */
export function online(target: Target, person: Person, gateway = 0): Promise<ChatConnection> {
  return connect({ url: gatewayUrl(target, gateway), token: person.accessToken });
}

/** The direct conversation of two people. */
export async function createDirect(person: Person, other: Person): Promise<Conversation> {
  return created(
    await person.rest('POST', '/api/conversations', {
      json: { type: 'direct_message', participantIds: [other.userId] },
    }),
  );
}

/** A group whose admin is the first person. */
export async function createGroup(
  admin: Person,
  members: readonly Person[],
  name = 'a group',
): Promise<Conversation> {
  return created(
    await admin.rest('POST', '/api/conversations', {
      json: { type: 'group', name, participantIds: members.map(({ userId }) => userId) },
    }),
  );
}

function created(answer: RestAnswer): Conversation {
  expect(answer).toMatchObject({ status: 201, body: { isExisting: false } });
  return (answer.body as { conversation: Conversation }).conversation;
}
