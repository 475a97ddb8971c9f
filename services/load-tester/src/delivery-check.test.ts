import { describe, expect, test } from 'vitest';
import { DeliveryCheck } from './delivery-check.ts';
import { confirmedNotStored } from './merge-results.ts';
import { SeqSet } from './seq-set.ts';

function checked(...seqs: number[]): DeliveryCheck {
  return told(new DeliveryCheck({ cameBack: false }), seqs);
}
function told(check: DeliveryCheck, seqs: readonly number[]): DeliveryCheck {
  for (const seq of seqs) {
    check.take(seq);
  }
  return check;
}
const figures = ({ received, duplicated, reordered }: DeliveryCheck) => ({
  received,
  duplicated,
  reordered,
});

describe('the check of what one socket hears', () => {
  test('in order and once is right, with gaps where its own messages are', () => {
    const check = checked(1, 3, 4, 200);
    expect(figures(check)).toEqual({ received: 4, duplicated: 0, reordered: 0 });
    expect(checked(1, 3, 4).lost(4, new Set([2]))).toBe(0);
  });

  test('a second copy is duplicated, wherever it comes', () => {
    expect(figures(checked(1, 1, 2, 1))).toEqual({ received: 2, duplicated: 2, reordered: 0 });
  });

  test('a smaller one after a larger one is reordered', () => {
    expect(figures(checked(1, 3, 2, 4))).toEqual({ received: 4, duplicated: 0, reordered: 1 });
  });

  test('what is stored, not its own, and was not heard is lost, the last one too', () => {
    expect(checked(1, 4).lost(5, new Set([2]))).toBe(2);
    expect(checked().lost(3, new Set())).toBe(3);
  });

  test('who has come back owes nothing of before, and everything from the first on', () => {
    const back = () => new DeliveryCheck({ cameBack: true });
    expect(back().lost(5, new Set())).toBe(0);
    expect(told(back(), [4, 5]).lost(6, new Set())).toBe(1);
  });

  test('who has read the history on the way back owes what comes after it', () => {
    const caughtUp = (seqs: number[], lastSeq: number) => {
      const check = told(new DeliveryCheck({ cameBack: true }), seqs);
      check.catchUp(lastSeq);
      return check;
    };
    expect(caughtUp([], 4).lost(6, new Set())).toBe(2);
    expect(caughtUp([5, 6], 4).lost(6, new Set())).toBe(0);
    // It had heard live already what the history had too.
    expect(caughtUp([3, 5], 4).lost(5, new Set())).toBe(1);
  });

  test('no message has no seq', () => {
    expect(() => checked(Number.NaN)).toThrow('the seq NaN');
    expect(() => checked(0)).toThrow('the seq 0');
    expect(() => checked(1e12)).toThrow('the seq 1000000000000');
  });
});

describe('the check of what was confirmed', () => {
  function confirmed(...seqs: number[]) {
    const set = new SeqSet();
    const again = seqs.filter((seq) => !set.add(seq));
    return { confirmedSeqs: [[0, set.encode()] as const], confirmedTwice: again.length };
  }

  test('each confirmed message has a place of its own in the history', () => {
    expect(confirmedNotStored([confirmed(1, 3), confirmed(2)], [3])).toBe(0);
    expect(confirmedNotStored([confirmed(1, 4)], [3])).toBe(1);
    expect(confirmedNotStored([confirmed(1, 2), confirmed(2)], [3])).toBe(1);
    expect(confirmedNotStored([confirmed(1, 2, 2)], [3])).toBe(1);
  });
});
