import { describe, expect, it } from 'vitest';
import { createTurns } from './take-turns.ts';

describe('turns', () => {
  it('run so many at once, in the order in which they came', async () => {
    const turns = createTurns({ atOnce: 2, waitingMax: 10 });
    const started: number[] = [];
    let running = 0;
    let most = 0;
    const gates = Array.from({ length: 6 }, () => Promise.withResolvers<void>());
    const results = gates.map((gate, index) =>
      turns.take(async () => {
        started.push(index);
        running += 1;
        most = Math.max(most, running);
        await gate.promise;
        running -= 1;
        return index;
      }),
    );
    expect(started).toEqual([0, 1]);
    for (const gate of gates) {
      gate.resolve();
    }
    expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(started).toEqual([0, 1, 2, 3, 4, 5]);
    expect(most).toBe(2);
  });

  it('are refused when the line is full, and free again afterwards', async () => {
    const turns = createTurns({ atOnce: 1, waitingMax: 1 });
    const gate = Promise.withResolvers<string>();
    const first = turns.take(() => gate.promise);
    const second = turns.take(async () => 'second');
    expect(turns.take(async () => 'third')).toBeNull();
    gate.resolve('first');
    expect(await first).toBe('first');
    expect(await second).toBe('second');
    expect(await turns.take(async () => 'fourth')).toBe('fourth');
  });

  it('pass on when a task fails', async () => {
    const turns = createTurns({ atOnce: 1, waitingMax: 5 });
    const failing = turns.take(async () => {
      throw new Error('failed');
    });
    const next = turns.take(async () => 'next');
    await expect(failing).rejects.toThrow('failed');
    expect(await next).toBe('next');
  });
});
