import { AppError, type Message } from '@bambochat/protocol';
import type { MessageStore } from '@bambochat/stores';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { newConversationId, request, temporaryStores } from './message-fixture.ts';
import { createSequencer } from './sequence-messages.ts';

function seqs(messages: readonly Message[]): number[] {
  return messages.map((message) => message.seq);
}

test('numbers each conversation from 1 without a gap, ids rising with seq', async () => {
  await using stores = temporaryStores();
  const sequencer = createSequencer({ store: stores.messageStore, cacheSize: 10 });
  const [first, second] = [newConversationId(), newConversationId()];
  await sequencer.store([request(first), request(second), request(first)]);
  await sequencer.store([request(first)]);
  const page = await stores.messageStore.page(first, { limit: 10 });
  expect(seqs(page)).toEqual([1, 2, 3]);
  expect(page.map((message) => message._id).toSorted()).toEqual(page.map(({ _id }) => _id));
  expect(seqs(await stores.messageStore.page(second, { limit: 10 }))).toEqual([1]);
});

test('a retry gets the first copy, alone, within a batch and twice in one batch', async () => {
  await using stores = temporaryStores();
  const sequencer = createSequencer({ store: stores.messageStore, cacheSize: 10 });
  const conversation = newConversationId();
  const original = request(conversation);
  const [first] = await sequencer.store([original]);
  const retry = { ...original, content: 'other text', ref: 'retry' };
  const [again] = await sequencer.store([retry]);
  expect(again).toEqual({ message: first?.message, duplicate: true });

  const fresh = request(conversation);
  const mixed = await sequencer.store([
    retry,
    fresh,
    { ...fresh, ref: 'twice' },
    request(conversation),
  ]);
  expect(mixed.map(({ message, duplicate }) => [message.seq, duplicate])).toEqual([
    [1, true],
    [2, false],
    [2, true],
    [3, false],
  ]);
  expect(seqs(await stores.messageStore.page(conversation, { limit: 10 }))).toEqual([1, 2, 3]);
});

test('a duplicate in the middle leaves no hole and keeps the order of the rest', async () => {
  await using stores = temporaryStores();
  const sequencer = createSequencer({ store: stores.messageStore, cacheSize: 10 });
  const [one, two] = [newConversationId(), newConversationId()];
  const known = request(one);
  await sequencer.store([known]);
  const batch = [request(one), known, request(two), request(one), known, request(one)];
  const outcomes = await sequencer.store(batch);
  expect(outcomes.map(({ message }) => message.seq)).toEqual([2, 1, 1, 3, 1, 4]);
  const page = await stores.messageStore.page(one, { limit: 10 });
  expect(page.map(({ clientMessageId }) => clientMessageId)).toEqual(
    [known, batch[0], batch[3], batch[5]].map((item) => item?.clientMessageId),
  );
});

test('two sequencers on one conversation take turns without a gap or a copy', async () => {
  await using stores = temporaryStores();
  const sequencers = [1, 2].map(() =>
    createSequencer({ store: stores.messageStore, cacheSize: 10 }),
  );
  const conversation = newConversationId();
  const all = Array.from({ length: 200 }, () => request(conversation));
  await Promise.all(
    sequencers.map(async (sequencer, half) => {
      for (let index = half; index < all.length; index += 2) {
        const mine = [all[index] ?? request(conversation)];
        // The command log repeats what was unavailable: in lockstep one may lose every round.
        await waitFor(() => sequencer.store(mine).catch(() => null), { interval: index % 7 });
      }
    }),
  );
  const page = await stores.messageStore.page(conversation, { limit: 500 });
  expect(seqs(page)).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  expect(new Set(page.map(({ clientMessageId }) => clientMessageId)).size).toBe(200);
});

test('a zombie with an old guess is fenced and continues after the others', async () => {
  await using stores = temporaryStores();
  const zombie = createSequencer({ store: stores.messageStore, cacheSize: 10 });
  const heir = createSequencer({ store: stores.messageStore, cacheSize: 10 });
  const conversation = newConversationId();
  await zombie.store([request(conversation)]);
  await heir.store([request(conversation), request(conversation)]);
  const [late] = await zombie.store([request(conversation)]);
  expect(late?.message.seq).toBe(4);
});

test('when an insert breaks off half way, repeating the call stores the rest once', async () => {
  await using stores = temporaryStores();
  let broken = true;
  const store: MessageStore = {
    ...stores.messageStore,
    async insert(messages) {
      if (broken) {
        broken = false;
        await stores.messageStore.insert(messages.slice(0, 2));
        throw new AppError('UNAVAILABLE', 'connection lost');
      }
      return stores.messageStore.insert(messages);
    },
  };
  const sequencer = createSequencer({ store, cacheSize: 10 });
  const conversation = newConversationId();
  const batch = Array.from({ length: 4 }, () => request(conversation));
  await expect(sequencer.store(batch)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const outcomes = await sequencer.store(batch);
  expect(outcomes.map(({ message, duplicate }) => [message.seq, duplicate])).toEqual([
    [1, true],
    [2, true],
    [3, false],
    [4, false],
  ]);
});

test('heads follow a message whose writer died before they did', async () => {
  await using stores = temporaryStores();
  let lastAdvanced: readonly Message[] = [];
  const store: MessageStore = {
    ...stores.messageStore,
    async advanceHeads(messages) {
      lastAdvanced = messages;
      await stores.messageStore.advanceHeads(messages);
    },
  };
  const sequencer = createSequencer({ store, cacheSize: 10 });
  const original = request(newConversationId());
  const [stored] = await sequencer.store([original]);
  await sequencer.store([original]);
  expect(lastAdvanced).toEqual([stored?.message]);
});

test('gives up as unavailable when others win every round', async () => {
  await using stores = temporaryStores();
  let rounds = 0;
  const store: MessageStore = {
    ...stores.messageStore,
    async insert() {
      rounds += 1;
      return { inserted: 0 };
    },
  };
  const sequencer = createSequencer({ store, cacheSize: 10 });
  await expect(sequencer.store([request(newConversationId())])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect(rounds).toBe(10);
});
