import { afterEach, describe, expect, it, vi } from 'vitest';
import { createTargetPool, type Target } from './target-pool.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, url: `http://${name}` })) as [
  Target,
  Target,
  Target,
];

afterEach(() => {
  vi.useRealTimers();
});

describe('a target pool', () => {
  it('takes turns', () => {
    const pool = createTargetPool(() => [a, b, c]);
    const firsts = Array.from({ length: 6 }, () => pool.inOrder()[0]);
    expect(firsts).toEqual([a, b, c, a, b, c]);
  });

  it('names all others after the first', () => {
    const pool = createTargetPool(() => [a, b, c]);
    expect(pool.inOrder()).toEqual([a, b, c]);
    expect(pool.inOrder()).toEqual([b, c, a]);
  });

  it('follows who is alive', () => {
    let alive: Target[] = [a, b];
    const pool = createTargetPool(() => alive);
    pool.inOrder();
    alive = [a];
    expect(pool.inOrder()).toEqual([a]);
    expect(pool.isAlive(b)).toBe(false);
    alive = [];
    expect(pool.inOrder()).toEqual([]);
    alive = [b];
    expect(pool.inOrder()).toEqual([b]);
  });

  it('puts a suspect last, but not for ever', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const pool = createTargetPool(() => [a, b]);
    expect(pool.suspect(a)).toBe(true);
    expect(pool.suspect(a)).toBe(false);
    expect(pool.inOrder()).toEqual([b, a]);
    expect(pool.inOrder()).toEqual([b, a]);
    vi.advanceTimersByTime(5001);
    expect(new Set([pool.inOrder()[0], pool.inOrder()[0]])).toEqual(new Set([a, b]));
    expect(pool.suspect(a)).toBe(true);
  });
});
