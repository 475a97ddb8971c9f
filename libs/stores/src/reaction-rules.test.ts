import { REACTIONS_PER_MESSAGE_MAX, type ReactionType, type UserId } from '@bambochat/protocol';
import { expect, test } from 'vitest';
import { type Reactor, reactionsOf, toggleReaction } from './reaction-rules.ts';
import { userId } from './sample-records.fixture.ts';

const step = (user: string, requestId: string, type: ReactionType = 'like') => ({
  userId: userId(user),
  type,
  requestId,
});
const everybody = Array.from(
  { length: REACTIONS_PER_MESSAGE_MAX },
  (_, index): Reactor => ({ userId: `user-${index}` as UserId, type: 'like', requests: ['r'] }),
);
const takenBack = (name: string): Reactor => ({
  userId: userId(name),
  type: null,
  requests: [`${name} did`],
});

test('past the bound nobody new reacts, and everybody who does may change their mind', () => {
  expect(toggleReaction(everybody, step('late', '1'))).toBe('full');
  const changed = toggleReaction(everybody, step('user-7', '1', 'sad'));
  const next = changed === 'full' ? [] : (changed.next ?? []);
  expect(next).toHaveLength(REACTIONS_PER_MESSAGE_MAX);
  expect(reactionsOf(next).at(-1)).toEqual({ userId: 'user-7', type: 'sad' });
});

test('who took a reaction back leaves room, the longest ago first', () => {
  const reactors = [takenBack('one'), ...everybody.slice(2), takenBack('two')];
  const outcome = toggleReaction(reactors, step('late', '1'));
  const next = outcome === 'full' ? [] : (outcome.next ?? []);
  expect(next).toHaveLength(REACTIONS_PER_MESSAGE_MAX);
  expect(next.some((reactor) => reactor.userId === 'one')).toBe(false);
  expect(next.some((reactor) => reactor.userId === 'two')).toBe(true);
  expect(next.at(-1)).toEqual({ userId: 'late', type: 'like', requests: ['1'] });
});

test('a repeated request changes nothing, even where nobody new gets in', () => {
  expect(toggleReaction(everybody, step('user-3', 'r'))).toEqual({});
  expect(toggleReaction([takenBack('one')], step('one', 'one did'))).toEqual({});
});
