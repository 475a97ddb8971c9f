import { describe, expect, test } from 'vitest';
import { type Conversation, expectRestError, timestamp, uuidV7 } from './contract-shapes.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import type { Target } from './target.ts';

async function conversationsOf(person: Person): Promise<Conversation[]> {
  const answer = await person.rest('GET', '/api/conversations');
  expect(answer.status).toBe(200);
  return answer.body as Conversation[];
}

function participant(person: Person, role: 'admin' | 'member' | unknown) {
  return {
    _id: person.userId,
    displayName: expect.any(String),
    avatar: null,
    bio: expect.any(String),
    role,
  };
}

export function describeConversations(target: () => Target): void {
  describe('conversations', () => {
    test('both sides create the same direct conversation at once and get the same one', async () => {
      for (let round = 0; round < 3; round += 1) {
        const [ada, ben] = (await newPeople(target(), 'conv', 2)) as [Person, Person];
        const create = (person: Person, other: Person) =>
          person.rest('POST', '/api/conversations', {
            json: { type: 'direct_message', participantIds: [other.userId] },
          });
        const answers = await Promise.all(
          Array.from({ length: 4 }, () => [create(ada, ben), create(ben, ada)]).flat(),
        );
        const outcomes = answers.map(({ status, body }) => {
          const { conversation, isExisting } = body as {
            conversation: Conversation;
            isExisting: boolean;
          };
          expect(status).toBe(isExisting ? 200 : 201);
          return { id: conversation._id, isExisting };
        });
        expect(new Set(outcomes.map(({ id }) => id)).size).toBe(1);
        expect(outcomes.filter(({ isExisting }) => !isExisting)).toHaveLength(1);
        expect(await conversationsOf(ada)).toHaveLength(1);
        expect(await conversationsOf(ben)).toHaveLength(1);
      }
    });

    test('a direct conversation and a group have the fields of the contract', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'conv', 3)) as [Person, Person, Person];
      const direct = await createDirect(ada, ben);
      const group = await createGroup(ada, [ben, cleo], 'Grüße 👋');
      const fresh = {
        _id: expect.stringMatching(uuidV7),
        lastMessage: null,
        lastSeq: 0,
        unread: 0,
        createdAt: expect.stringMatching(timestamp),
        updatedAt: expect.stringMatching(timestamp),
      };
      expect(direct).toStrictEqual({
        ...fresh,
        type: 'direct_message',
        name: null,
        participants: expect.toSatisfy((list: unknown[]) => list.length === 2),
      });
      expect(direct.participants).toEqual(
        expect.arrayContaining([
          participant(ada, expect.any(String)),
          participant(ben, expect.any(String)),
        ]),
      );
      expect(group).toStrictEqual({
        ...fresh,
        type: 'group',
        name: 'Grüße 👋',
        participants: expect.toSatisfy((list: unknown[]) => list.length === 3),
      });
      expect(group.participants).toEqual(
        expect.arrayContaining([
          participant(ada, 'admin'),
          participant(ben, 'member'),
          participant(cleo, 'member'),
        ]),
      );
    });

    test('the list shows latest activity first, with the last message and what is unread', async () => {
      const [ada, ben] = (await newPeople(target(), 'conv', 2)) as [Person, Person];
      const direct = await createDirect(ada, ben);
      const group = await createGroup(ada, [ben]);
      using atAda = await online(target(), ada);
      const first = await atAda.say(group._id, privateText('in the group'));
      const contents = [privateText('one'), privateText('two'), privateText('three')];
      for (const content of contents) {
        await atAda.say(direct._id, content);
      }
      const list = await conversationsOf(ben);
      expect(list.map(({ _id }) => _id)).toEqual([direct._id, group._id]);
      expect(list[0]).toMatchObject({ lastSeq: 3, unread: 3 });
      expect(list[0]?.lastMessage).toStrictEqual({
        content: contents[2],
        senderId: ada.userId,
        createdAt: expect.stringMatching(timestamp),
      });
      expect(list[1]).toMatchObject({ lastSeq: 1, unread: 1 });
      expect(list[1]?.lastMessage).toStrictEqual({
        content: first.content,
        senderId: ada.userId,
        createdAt: first.createdAt,
      });
      await atAda.say(group._id, privateText('again'));
      expect((await conversationsOf(ben)).map(({ _id }) => _id)).toEqual([group._id, direct._id]);
    });

    test('wrong bodies are refused, and the field is named', async () => {
      const [ada, ben] = (await newPeople(target(), 'conv', 2)) as [Person, Person];
      const participantIds = [ben.userId];
      const bodies: [unknown, string][] = [
        [{ participantIds }, 'type'],
        [{ type: 'channel', participantIds }, 'type'],
        [{ type: { $gt: '' }, participantIds }, 'type'],
        [{ type: 'group' }, 'participantIds'],
        [{ type: 'group', participantIds: ben.userId }, 'participantIds'],
        [{ type: 'group', participantIds: [{ $gt: '' }] }, 'participantIds'],
        [{ type: 'group', participantIds: [null] }, 'participantIds'],
        [{ type: 'group', participantIds, name: 7 }, 'name'],
        [{ type: 'group', participantIds, name: '\ud800' }, 'name'],
        [{ type: 'direct_message', participantIds: [] }, 'participantIds'],
        [{ type: 'direct_message', participantIds: [ada.userId] }, 'participantIds'],
      ];
      for (const [json, field] of bodies) {
        const answer = await ada.rest('POST', '/api/conversations', { json });
        expectRestError(answer, 400, 'VALIDATION', field);
      }
      expect(await conversationsOf(ada)).toEqual([]);
    });

    test('a user that does not exist can be no participant', async () => {
      const [ada] = (await newPeople(target(), 'conv', 1)) as [Person];
      for (const type of ['direct_message', 'group']) {
        const answer = await ada.rest('POST', '/api/conversations', {
          json: { type, participantIds: ['nobody-has-this-name'] },
        });
        expect([400, 404]).toContain(answer.status);
      }
      expect(await conversationsOf(ada)).toEqual([]);
    });

    test('a direct conversation takes no third participant', async () => {
      const [ada, ben, cleo] = (await newPeople(target(), 'conv', 3)) as [Person, Person, Person];
      const direct = await createDirect(ada, ben);
      const path = `/api/conversations/${direct._id}/participants`;
      const answer = await ada.rest('POST', path, { json: { participantIds: [cleo.userId] } });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(await conversationsOf(cleo)).toEqual([]);
      expect((await cleo.rest('GET', `/messages?conversationId=${direct._id}`)).status).toBe(404);
    });
  });
}
