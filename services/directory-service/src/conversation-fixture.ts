import type { UserId } from '@bambochat/protocol';
import { type DirectoryFixture, type Engines, startDirectory } from './directory-fixture.ts';

export async function usersOf(fixture: DirectoryFixture, ...names: string[]): Promise<UserId[]> {
  return Promise.all(names.map((name) => fixture.addUser(name)));
}

/** The one answer for absent and forbidden. */
export const notFound = { message: 'Conversation not found', code: 'NOT_FOUND', status: 404 };

/** A directory with four users, and what tests of conversations ask of it. */
export async function startConversations(
  engines: Engines,
  overrides: Parameters<typeof startDirectory>[1] = {},
) {
  const fixture = await startDirectory(engines, overrides);
  const users = await usersOf(fixture, 'alice', 'bob', 'carol', 'dave');
  const [alice, bob, carol, dave] = users as [UserId, UserId, UserId, UserId];
  const post = (as: UserId, payload: unknown) =>
    fixture.request('POST', '/api/conversations', { as, payload });
  const add = (as: UserId, id: string, ...participantIds: unknown[]) =>
    fixture.request('POST', `/api/conversations/${id}/participants`, {
      as,
      payload: { participantIds },
    });
  const remove = (as: UserId, id: string, userId: string) =>
    fixture.request('DELETE', `/api/conversations/${id}/participants/${userId}`, { as });
  const rolesSeenBy = async (as: UserId, id: string) => {
    const conversation = (await fixture.list(as)).find(({ _id }) => _id === id);
    return conversation?.participants.map(({ _id, role }) => [_id, role]);
  };
  const announcedOf = (id: string) =>
    fixture.announced.filter(({ conversationId }) => conversationId === id);
  return {
    fixture,
    alice,
    bob,
    carol,
    dave,
    post,
    add,
    remove,
    rolesSeenBy,
    announcedOf,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}
