import { expect } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import { createDirect, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

/** Two people who chat while somebody else misbehaves, and must not notice. */
export interface Bystanders extends Disposable {
  /** Both say something, and both hear it; neither has ever lost the connection. */
  chat(): Promise<void>;
}

export async function bringBystanders(target: Target): Promise<Bystanders> {
  const [one, other] = (await newPeople(target, 'bystander', 2)) as [Person, Person];
  const { _id } = await createDirect(one, other);
  const atOne: ChatConnection = await online(target, one, 0);
  const atOther: ChatConnection = await online(target, other, 1);
  let said = 0;
  return {
    async chat() {
      await atOther.hears(await atOne.say(_id, privateText('nice day')));
      await atOne.hears(await atOther.say(_id, privateText('very nice')));
      said += 1;
      for (const connection of [atOne, atOther]) {
        expect(connection.losses).toEqual([]);
        expect(connection.received()).toHaveLength(said);
        expect(connection.errors()).toEqual([]);
      }
    },
    [Symbol.dispose]() {
      atOne.close();
      atOther.close();
    },
  };
}
