import { describe, expect, test } from 'vitest';
import { expectDense, type Message } from './contract-shapes.ts';
import { createDirect, createGroup, newPeople, online, privateText } from './person.ts';
import type { Target } from './target.ts';

function bySeq(messages: readonly Message[]): Message[] {
  return messages.toSorted((one, other) => one.seq - other.seq);
}

export function describeMainStory(target: () => Target): void {
  describe('the main story', () => {
    test('users talk in a direct conversation and in a group, one is away and reads what it missed', async () => {
      const [ada, ben, cleo] = await newPeople(target(), 'story', 3);
      if (!ada || !ben || !cleo) {
        throw new Error('three people were asked for');
      }
      const direct = await createDirect(ada, ben);
      const group = await createGroup(ada, [ben, cleo]);
      using atAda = await online(target(), ada, 0);
      using atCleo = await online(target(), cleo, 0);
      const adaSaid: Message[] = [];
      const before: Message[] = [];

      {
        using atBen = await online(target(), ben, 1);
        for (const { _id } of [direct, group]) {
          const hello = await atAda.say(_id, privateText('hello'));
          adaSaid.push(hello);
          await atBen.hears(hello);
          const answer = await atBen.say(_id, privateText('hello yourself'));
          await atAda.hears(answer);
          before.push(hello, answer);
          expect([hello.seq, answer.seq]).toEqual([1, 2]);
        }
        expect(atBen.received()).toEqual(before.filter(({ senderId }) => senderId === ada.userId));
      }

      const missed: Message[] = [];
      for (let round = 0; round < 5; round += 1) {
        missed.push(await atAda.say(direct._id, privateText('are you there?')));
        missed.push(await atAda.say(group._id, privateText('where is he?')));
        missed.push(await atCleo.say(group._id, privateText('no idea')));
      }
      adaSaid.push(...missed.filter(({ senderId }) => senderId === ada.userId));

      using atBen = await online(target(), ben, 1);
      const bensView: Message[] = [...before];
      for (const { _id } of [direct, group]) {
        const seen = before.findLast(({ conversationId }) => conversationId === _id);
        const { messages, hasMore, lastSeq } = await ben.page(_id, { after: seen?.seq ?? 0 });
        expect(hasMore).toBe(false);
        expect(messages.at(-1)?.seq).toBe(lastSeq);
        bensView.push(...messages);
      }

      // Back for good: no join was asked for, and the rooms are there.
      const welcome = await atAda.say(group._id, privateText('there you are'));
      adaSaid.push(welcome);
      await Promise.all([atBen.hears(welcome), atCleo.hears(welcome)]);
      bensView.push(...atBen.received());

      for (const { _id } of [direct, group]) {
        const inConversation = ({ conversationId }: Message) => conversationId === _id;
        const adasView = [...adaSaid, ...atAda.received()].filter(inConversation);
        const history = await ben.history(_id);
        expectDense(history);
        expect(bySeq(bensView.filter(inConversation))).toEqual(history);
        expect(bySeq(adasView)).toEqual(history);
      }
    });
  });
}
