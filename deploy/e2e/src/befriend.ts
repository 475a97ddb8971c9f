import { expect } from 'vitest';
import {
  expectFriendship,
  expectStatus,
  type Friendship,
  type OnlineStatus,
} from './contract-shapes.ts';
import type { Person } from './person.ts';
import type { RestAnswer } from './rest-client.ts';

/*
 * What people do with each other over REST. Each asserts that it was done and answered as the
 * contract says.
 */

/** `POST /api/friends/requests`, as it is answered. */
export function postRequest(person: Person, addresseeId: unknown): Promise<RestAnswer> {
  return person.rest('POST', '/api/friends/requests', { json: { addresseeId } });
}

/** `PUT /api/friends/requests/:id`, as it is answered. */
export function putAnswer(
  person: Person,
  { _id }: Pick<Friendship, '_id'>,
  action: string,
): Promise<RestAnswer> {
  return person.rest('PUT', `/api/friends/requests/${_id}`, { json: { action } });
}

/** `DELETE /api/friends/:userId`, as it is answered. */
export function deleteFriend(person: Person, other: Pick<Person, 'userId'>): Promise<RestAnswer> {
  return person.rest('DELETE', `/api/friends/${other.userId}`);
}

/** `PUT /api/friends/blocks/:userId`, as it is answered. */
export function putBlock(person: Person, other: Pick<Person, 'userId'>): Promise<RestAnswer> {
  return person.rest('PUT', `/api/friends/blocks/${other.userId}`);
}

/** `DELETE /api/friends/blocks/:userId`, as it is answered. */
export function deleteBlock(person: Person, other: Pick<Person, 'userId'>): Promise<RestAnswer> {
  return person.rest('DELETE', `/api/friends/blocks/${other.userId}`);
}

/** One asks the other, who has not asked. */
export async function askFriendship(person: Person, other: Person): Promise<Friendship> {
  const answer = await postRequest(person, other.userId);
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return expectFriendship(friendshipOf(answer), {
    requesterId: person.userId,
    addresseeId: other.userId,
    status: 'pending',
  });
}

export async function befriend(person: Person, other: Person): Promise<Friendship> {
  const request = await askFriendship(person, other);
  const answer = await putAnswer(other, request, 'accept');
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return expectFriendship(friendshipOf(answer), { ...request, status: 'accepted' });
}

/** Makes one person the friend of many. */
export async function befriendAll(person: Person, others: readonly Person[]): Promise<void> {
  await Promise.all(others.map((other) => befriend(person, other)));
}

export async function unfriend(person: Person, other: Person): Promise<void> {
  expectMessageOnly(await deleteFriend(person, other));
}

export async function block(person: Person, other: Person): Promise<Friendship> {
  const answer = await putBlock(person, other);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return expectFriendship(friendshipOf(answer), {
    requesterId: person.userId,
    addresseeId: other.userId,
    status: 'blocked',
  });
}

export async function unblock(person: Person, other: Person): Promise<void> {
  expectMessageOnly(await deleteBlock(person, other));
}

/** Asserts 200 `{ message }`. */
export function expectMessageOnly({ status, body }: RestAnswer): void {
  expect({ status, body }).toStrictEqual({
    status: 200,
    body: { message: expect.stringMatching(/\S/) },
  });
}

/** Asserts `{ message, friendship }` and gives the second. */
export function friendshipOf({ body }: RestAnswer): unknown {
  expect(body).toStrictEqual({
    message: expect.stringMatching(/\S/),
    friendship: expect.any(Object),
  });
  return (body as { friendship: unknown }).friendship;
}

/** A list of `/api/friends…`; asserts 200. */
export async function listOf<Item>(
  person: Person,
  list: '' | '/requests/pending' | '/requests/sent' | '/blocks' | '/presence',
  query: Record<string, string | number> = {},
): Promise<Item[]> {
  const { status, body } = await person.rest('GET', `/api/friends${list}`, { query });
  expect(status, JSON.stringify(body)).toBe(200);
  expect(body).toBeInstanceOf(Array);
  return body as Item[];
}

/** Ids of a person's friends, in the order of the list. */
export async function friendIds(person: Person): Promise<string[]> {
  return (await listOf<{ _id: string }>(person, '')).map(({ _id }) => _id);
}

/** What `GET /api/friends/presence` says of one friend; undefined: nothing. */
export async function statusSeenBy(
  person: Person,
  friend: Person,
): Promise<OnlineStatus | undefined> {
  const statuses = await listOf<OnlineStatus>(person, '/presence');
  for (const status of statuses) {
    expectStatus(status);
  }
  return statuses.find(({ userId }) => userId === friend.userId);
}
