import { expect, test } from 'vitest';
import { mergeTallies } from './merge-results.ts';
import { Recorder } from './recorder.ts';

test('a message counts for the step in which it was due, and for the second in which it happens', () => {
  let now = 10_000;
  const recorder = new Recorder(() => now);
  recorder.begin(10_000, [
    { rate: 1, duration: 1000 },
    { rate: 2, duration: 1000 },
  ]);
  recorder.sent(10_900);
  now = 11_500;
  recorder.sent(11_400);
  recorder.confirmed(10_900);
  recorder.delivered(10_900);
  recorder.refused(11_400, 'OVERLOADED');
  const [first, second] = recorder.steps().map((step) => ({
    ...mergeTallies([step]).figures(),
    behind: step.behind,
  }));
  expect(first).toMatchObject({ sent: 1, confirmed: 1, delivered: 1, refused: {} });
  // From when it was due, not from when it was sent.
  expect(first?.confirm.max).toBeCloseTo(600, 0);
  expect(second).toMatchObject({ sent: 1, confirmed: 0, refused: { OVERLOADED: 1 }, behind: 100 });
  expect(mergeTallies([recorder.takeSecond()]).figures()).toMatchObject({ sent: 2, confirmed: 1 });
  expect(mergeTallies([recorder.takeSecond()]).figures()).toMatchObject({ sent: 0, confirmed: 0 });
});

test('what is confirmed after the end belongs to the last step', () => {
  const recorder = new Recorder(() => 5000);
  recorder.begin(0, [{ rate: 1, duration: 1000 }]);
  recorder.delivered(1500);
  expect(recorder.steps().map(({ delivered }) => delivered)).toEqual([1]);
});
