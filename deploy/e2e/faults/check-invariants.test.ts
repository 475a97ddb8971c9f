import { expect, test } from 'vitest';
import type { Message } from '../src/contract-shapes.ts';
import { checkInvariants } from './check-invariants.ts';
import type { Attempt } from './load-client.ts';

const conversationId = 'c';

function message(seq: number, name = `m${seq}`): Message {
  return {
    _id: `id-${String(seq).padStart(4, '0')}-${name}`,
    conversationId,
    seq,
    senderId: 'ada',
    content: name,
    clientMessageId: name,
    reactions: [],
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}

function attempt(of: Message, changes: Partial<Attempt> = {}): Attempt {
  return {
    conversationId,
    clientMessageId: of.clientMessageId,
    lane: 'one',
    at: 0,
    handedOver: true,
    outcome: 'confirmed',
    message: of,
    ...changes,
  };
}

function check(
  history: Message[],
  attempts: Attempt[],
  { list = history, everySendCounts = false }: { list?: Message[]; everySendCounts?: boolean } = {},
) {
  return checkInvariants(
    new Map([[conversationId, { history, lists: [{ client: 'ben', list }] }]]),
    [{ userId: 'ada', attempts }],
    { everySendCounts },
  );
}

const [one, two, three] = [message(1), message(2), message(3)];
const good = [one, two, three];

test('a whole history is found whole', () => {
  expect(
    check(
      good,
      good.map((entry) => attempt(entry)),
    ),
  ).toEqual({
    sent: 3,
    confirmed: 3,
    stored: 3,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    diverged: 0,
    violations: [],
  });
});

test('what was confirmed and is not stored is lost', () => {
  expect(check([one], [attempt(one), attempt(two)])).toMatchObject({ lost: 1, confirmed: 2 });
});

test('what was not answered counts only where every send does; what was refused never', () => {
  const silent = attempt(two, { outcome: 'unanswered', message: null });
  const refused = attempt(three, { outcome: 'refused', message: null });
  expect(check([one], [attempt(one), silent, refused])).toMatchObject({ lost: 0 });
  expect(check([one], [attempt(one), silent, refused], { everySendCounts: true })).toMatchObject({
    lost: 1,
  });
});

test('one clientMessageId stored twice is a duplicate, and so is one shown twice', () => {
  const again = { ...message(2), clientMessageId: 'm1' };
  expect(check([one, again], [attempt(one)])).toMatchObject({ duplicated: 1 });
  expect(check([one, two], [], { list: [one, two, two] })).toMatchObject({
    duplicated: 1,
    diverged: 1,
  });
});

test('a confirmation that names another message than the stored one is a duplicate', () => {
  expect(check([one], [attempt(one, { message: { ...one, _id: 'other' } })])).toMatchObject({
    duplicated: 1,
  });
});

test('a hole, a step back of the _id and a lane that was overtaken are disorder', () => {
  expect(check([one, three], [])).toMatchObject({ reordered: 1 });
  expect(check([{ ...one, _id: 'z' }, two], [])).toMatchObject({ reordered: 1 });
  expect(check([one, two], [attempt(two), attempt(one)])).toMatchObject({ reordered: 1 });
  // On different lanes nothing is promised.
  expect(check([one, two], [attempt(two), attempt(one, { lane: 'other' })])).toMatchObject({
    reordered: 0,
  });
});

test('a list that lacks, swaps or changes something has diverged', () => {
  for (const list of [
    [one, two],
    [two, one, three],
    [one, two, { ...three, content: 'x' }],
  ]) {
    expect(check(good, [], { list })).toMatchObject({
      diverged: 1,
      violations: [expect.any(String)],
    });
  }
});
