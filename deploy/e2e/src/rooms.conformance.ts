import { beforeAll, describe, expect, test } from 'vitest';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import type { Target } from './target.ts';

export function describeRooms(target: () => Target): void {
  describe('rooms', () => {
    let ada: Person;
    let ben: Person;
    let direct: string;
    let group: string;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'room', 2)) as [Person, Person];
      direct = (await createDirect(ada, ben))._id;
      group = (await createGroup(ada, [ben]))._id;
    });

    test('a socket that connects hears every conversation of its user without joining', async () => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      await atBen.hears(await atAda.say(direct, privateText('direct')));
      await atBen.hears(await atAda.say(group, privateText('group')));
    });

    test('join_conversation answers the seq of the newest message', async () => {
      const empty = (await createGroup(ada, [ben], 'an empty group'))._id;
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      expect(await atBen.ask('join_conversation', { conversationId: empty })).toStrictEqual({
        success: true,
        conversationId: empty,
        lastSeq: 0,
      });
      const { seq } = await atAda.say(group, privateText('newest'));
      expect(await atBen.ask('join_conversation', { conversationId: group })).toStrictEqual({
        success: true,
        conversationId: group,
        lastSeq: seq,
      });
    });

    test('everything after the lastSeq of a join is heard', async () => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      for (let round = 0; round < 10; round += 1) {
        await atBen.ask('leave_conversation', { conversationId: group });
        const sends = Array.from({ length: 5 }, () => atAda.say(group, privateText('meanwhile')));
        const { lastSeq = -1 } = await atBen.ask('join_conversation', { conversationId: group });
        const sent = await Promise.all(sends);
        for (const message of sent.filter(({ seq }) => seq > lastSeq)) {
          await atBen.hears(message);
        }
      }
    });

    test('leave_conversation makes one socket deaf for one conversation until it joins again', async () => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      using otherOfBen = await online(target(), ben, 1);
      expect(await atBen.ask('leave_conversation', { conversationId: group })).toStrictEqual({
        success: true,
      });
      const unheard = await atAda.say(group, privateText('unheard'));
      await otherOfBen.hears(unheard);
      const marker = await atAda.say(direct, privateText('marker'));
      await atBen.hears(marker);
      expect(atBen.received(group)).toEqual([]);

      await atBen.ask('join_conversation', { conversationId: group });
      const again = await atAda.say(group, privateText('again'));
      await atBen.hears(again);
      expect(atBen.received(group)).toEqual([again]);
    });

    test('who has left the room is a member still, and may send', async () => {
      using atAda = await online(target(), ada, 0);
      using atBen = await online(target(), ben, 1);
      await atBen.ask('leave_conversation', { conversationId: group });
      await atAda.hears(await atBen.say(group, privateText('from outside the room')));
    });
  });
}
