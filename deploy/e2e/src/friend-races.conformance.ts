import { beforeAll, describe, expect, test } from 'vitest';
import {
  askFriendship,
  befriend,
  deleteBlock,
  deleteFriend,
  friendIds,
  friendshipOf,
  listOf,
  postRequest,
  putAnswer,
  putBlock,
} from './befriend.ts';
import type { Friendship } from './contract-shapes.ts';
import { newPeople, type Person } from './person.ts';
import { showsOnline, watch } from './presence-heard.ts';
import type { RestAnswer } from './rest-client.ts';
import type { Target } from './target.ts';

const ROUNDS = 12;

type Relation = 'none' | 'friends' | 'ada asked' | 'ben asked' | 'blocked';

/** What two people did at the same moment, by status of the answers, and what may follow. */
interface Race {
  readonly name: string;
  /** What is between them before; `asked`: by ada. */
  readonly before: 'none' | 'asked' | 'friends';
  readonly act: (ada: Person, ben: Person, asked: Friendship) => Promise<RestAnswer>[];
  /** Outcomes that fit together: the statuses in the order of `act`, and the state at the end. */
  readonly fits: readonly (readonly [statuses: number[], Relation])[];
}

const races: readonly Race[] = [
  {
    name: 'both ask',
    before: 'none',
    act: (ada, ben) => [postRequest(ada, ben.userId), postRequest(ben, ada.userId)],
    fits: [[[201, 201], 'friends']],
  },
  {
    name: 'one asks twice',
    before: 'none',
    act: (ada, ben) => [postRequest(ada, ben.userId), postRequest(ada, ben.userId)],
    fits: [
      [[201, 409], 'ada asked'],
      [[409, 201], 'ada asked'],
    ],
  },
  {
    name: 'one asks, the other blocks',
    before: 'none',
    act: (ada, ben) => [postRequest(ada, ben.userId), putBlock(ben, ada)],
    fits: [
      [[201, 200], 'blocked'],
      [[404, 200], 'blocked'],
    ],
  },
  {
    name: 'accepted and rejected by two devices',
    before: 'asked',
    act: (_ada, ben, asked) => [putAnswer(ben, asked, 'accept'), putAnswer(ben, asked, 'reject')],
    fits: [
      [[200, 409], 'friends'],
      [[404, 200], 'none'],
    ],
  },
  {
    name: 'accepted by two devices',
    before: 'asked',
    act: (_ada, ben, asked) => [putAnswer(ben, asked, 'accept'), putAnswer(ben, asked, 'accept')],
    fits: [[[200, 200], 'friends']],
  },
  {
    name: 'accepted while it is taken back',
    before: 'asked',
    act: (ada, ben, asked) => [putAnswer(ben, asked, 'accept'), deleteFriend(ada, ben)],
    fits: [
      [[200, 200], 'none'],
      [[404, 200], 'none'],
    ],
  },
  {
    name: 'accepted while the other blocks',
    before: 'asked',
    act: (ada, ben, asked) => [putAnswer(ben, asked, 'accept'), putBlock(ada, ben)],
    fits: [
      [[200, 200], 'blocked'],
      [[404, 200], 'blocked'],
    ],
  },
  {
    name: 'both ask while one has asked already',
    before: 'asked',
    act: (ada, ben) => [postRequest(ada, ben.userId), postRequest(ben, ada.userId)],
    fits: [[[409, 201], 'friends']],
  },
  {
    name: 'both remove',
    before: 'friends',
    act: (ada, ben) => [deleteFriend(ada, ben), deleteFriend(ben, ada)],
    fits: [
      [[200, 404], 'none'],
      [[404, 200], 'none'],
    ],
  },
  {
    name: 'one removes, the other asks',
    before: 'friends',
    act: (ada, ben) => [deleteFriend(ada, ben), postRequest(ben, ada.userId)],
    fits: [
      [[200, 409], 'none'],
      [[200, 201], 'ben asked'],
    ],
  },
  {
    name: 'one removes, the other blocks',
    before: 'friends',
    act: (ada, ben) => [deleteFriend(ada, ben), putBlock(ben, ada)],
    fits: [
      [[200, 200], 'blocked'],
      [[404, 200], 'blocked'],
    ],
  },
  {
    name: 'both block',
    before: 'friends',
    act: (ada, ben) => [putBlock(ada, ben), putBlock(ben, ada)],
    fits: [[[200, 200], 'blocked']],
  },
];

export function describeFriendRaces(target: () => Target): void {
  describe('friends who act at the same moment', () => {
    let ada: Person;
    let ben: Person;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'race', 2)) as [Person, Person];
    });

    /** Reads everything that either side is shown, and asserts that it is one state. */
    async function relation(): Promise<Relation> {
      const [adaFriends, benFriends] = await Promise.all([friendIds(ada), friendIds(ben)]);
      const lists = await Promise.all(
        [ada, ben].flatMap((person) =>
          (['/requests/pending', '/requests/sent', '/blocks'] as const).map((list) =>
            listOf<Friendship>(person, list),
          ),
        ),
      );
      const [toAda, byAda, blocksOfAda, toBen, byBen, blocksOfBen] = lists;
      expect(toAda).toStrictEqual(byBen);
      expect(toBen).toStrictEqual(byAda);
      expect(adaFriends.includes(ben.userId)).toBe(benFriends.includes(ada.userId));
      const relations: Relation[] = [
        ...(adaFriends.length > 0 ? (['friends'] as const) : []),
        ...(byAda?.length ? (['ada asked'] as const) : []),
        ...(byBen?.length ? (['ben asked'] as const) : []),
        ...(blocksOfAda?.length || blocksOfBen?.length ? (['blocked'] as const) : []),
      ];
      expect(relations.length, relations.join(' and ')).toBeLessThanOrEqual(1);
      return relations[0] ?? 'none';
    }

    /** Back to strangers, whatever there is. */
    async function clear(): Promise<void> {
      for (const [person, other] of [
        [ada, ben],
        [ben, ada],
      ] as const) {
        await deleteBlock(person, other);
        await deleteFriend(person, other);
      }
      expect(await relation()).toBe('none');
    }

    test.for(races)(
      'end in one state: $name',
      { timeout: 120_000 },
      async ({ before, act, fits }, { annotate }) => {
        using adaHere = await watch(target(), ada, 0);
        using adaThere = await watch(target(), ada, 1);
        using benHere = await watch(target(), ben, 1);
        const seen = new Map<string, number>();
        for (let round = 0; round < ROUNDS; round += 1) {
          await clear();
          const asked =
            before === 'asked'
              ? await askFriendship(ada, ben)
              : before === 'friends'
                ? await befriend(ada, ben)
                : null;
          const answers = await Promise.all(act(ada, ben, asked ?? ({ _id: '' } as Friendship)));
          const outcome = [answers.map(({ status }) => status), await relation()] as const;
          expect(fits, JSON.stringify(outcome)).toContainEqual(outcome);
          seen.set(outcome.join(' '), (seen.get(outcome.join(' ')) ?? 0) + 1);
          for (const answer of answers.filter(({ status }) => status < 300)) {
            expect(JSON.stringify(answer.body)).not.toMatch(/email|@mail/);
          }
          // Whatever crossed on the way: who are friends see each other, who are not do not.
          const friends = outcome[1] === 'friends';
          await showsOnline(adaHere, friends ? [ben] : []);
          await showsOnline(adaThere, friends ? [ben] : []);
          await showsOnline(benHere, friends ? [ada] : []);
        }
        await annotate([...seen].map(([outcome, times]) => `${times} × ${outcome}`).join(', '));
        await clear();
      },
    );

    test('of two who ask each other, one has asked and the other has accepted', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await clear();
        const answers = await Promise.all([
          postRequest(ada, ben.userId),
          postRequest(ben, ada.userId),
        ]);
        const [byAda, byBen] = answers.map((answer) => friendshipOf(answer) as Friendship);
        expect([byAda?.status, byBen?.status].sort()).toEqual(['accepted', 'pending']);
        expect(byAda?._id).toBe(byBen?._id);
        expect(byAda?.requesterId).toBe(byBen?.requesterId);
      }
      await clear();
    });

    test('two who begin friendships with everybody at once lose none', async () => {
      const people = await newPeople(target(), 'race', 6);
      const pairs = people.flatMap((one) =>
        people.filter((other) => other !== one).map((other) => [one, other] as const),
      );
      const answers = await Promise.all(
        pairs.map(([one, other]) => postRequest(one, other.userId)),
      );
      expect(answers.map(({ status }) => status)).toEqual(pairs.map(() => 201));
      for (const person of people) {
        const others = people.filter((other) => other !== person);
        expect(await friendIds(person)).toEqual(others.map(({ userId }) => userId).sort());
      }
    });
  });
}
