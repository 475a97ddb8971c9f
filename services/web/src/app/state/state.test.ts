import { describe, expect, test, vi } from 'vitest';
import { dayOf, dayTitle, lastSeenTime, relativeTime } from './format-time.ts';
import { pageTitle } from './page-title.ts';
import { runSoon } from './run-soon.ts';
import { Store } from './store.ts';

test('the title tells what waits', () => {
  expect(pageTitle({ unread: 0, mentions: 0 })).toBe('BamboChat');
  expect(pageTitle({ unread: 3, mentions: 0 })).toBe('(3) BamboChat');
  expect(pageTitle({ unread: 1200, mentions: 2 })).toBe('(999+, @2) BamboChat');
});

describe('times', () => {
  const now = new Date(2026, 4, 5, 12, 0);
  const iso = (day: number, hour: number, minute = 0) =>
    new Date(2026, 4, day, hour, minute).toISOString();

  test('are as short as a list wants them', () => {
    expect(relativeTime(iso(5, 12), now)).toBe('now');
    expect(relativeTime(iso(5, 11, 30), now)).toBe('30 min');
    expect(relativeTime(iso(5, 8), now)).toMatch(/^0?8:00/);
    expect(relativeTime(iso(4, 23), now)).toBe('Yesterday');
    expect(relativeTime(iso(2, 12), now)).toBe('Sat');
    expect(relativeTime(new Date(2025, 11, 24).toISOString(), now)).toMatch(
      /24.*12.*25|12.*24.*25/,
    );
  });

  test('a clock that is behind does not make the future', () => {
    expect(relativeTime(iso(5, 12, 5), now)).toBe('now');
  });

  test('say when somebody was last here', () => {
    expect(lastSeenTime(iso(5, 11, 59), now)).toBe('1 min ago');
    expect(lastSeenTime(iso(4, 23), now)).toMatch(/^yesterday at/);
    expect(lastSeenTime(iso(2, 12), now)).toBe('on Sat');
  });

  test('days are those of the calendar, not of 24 hours', () => {
    expect(dayTitle(iso(5, 0), now)).toBe('Today');
    expect(dayTitle(iso(4, 23, 59), now)).toBe('Yesterday');
    expect(dayOf(iso(4, 23, 59))).not.toBe(dayOf(iso(5, 0)));
  });
});

describe('a store', () => {
  test('tells of another value, and only of that', () => {
    const store = new Store(1);
    const listener = vi.fn();
    const stop = store.subscribe(listener);
    store.set(1);
    store.set(2);
    store.update((value) => value + 1);
    stop();
    store.set(4);
    expect(listener).toHaveBeenCalledTimes(2);
    expect(store.get()).toBe(4);
  });

  test('what is asked for often runs once, at the end of the task', async () => {
    const action = vi.fn();
    const soon = runSoon(action);
    soon();
    soon();
    expect(action).not.toHaveBeenCalled();
    await Promise.resolve();
    expect(action).toHaveBeenCalledTimes(1);
    soon();
    await Promise.resolve();
    expect(action).toHaveBeenCalledTimes(2);
  });
});
