import { AppError } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventBus } from './event-bus.ts';

export interface EventBusHarness extends AsyncDisposable {
  /** Two handles to one bus, each as another process would have it. */
  readonly near: EventBus & { readonly dropped: number };
  readonly far: EventBus & { readonly dropped: number };
  /** Sends something that is not JSON, such that `far` could receive it. */
  publishBroken(subject: string): Promise<void>;
}

/** The guarantees of {@link EventBus}, for every adapter. */
export function eventBusContract(name: string, makeHarness: () => Promise<EventBusHarness>): void {
  describe(`${name} keeps the contract of an event bus`, () => {
    let harness: EventBusHarness;
    let near: EventBusHarness['near'];
    let far: EventBusHarness['far'];

    beforeEach(async () => {
      harness = await makeHarness();
      ({ near, far } = harness);
    });

    afterEach(() => harness[Symbol.asyncDispose]());

    test('events of one publisher on one subject arrive in order and by value', async () => {
      const received: unknown[] = [];
      far.subscribe('rooms.one', (payload) => void received.push(payload));
      await far.flush();
      const event = { index: 0, nested: { text: 'ä 😀 \u0000' }, gone: undefined };
      for (; event.index < 100; event.index += 1) near.publish('rooms.one', event);
      expect(await near.flush()).toBe(true);
      near.publish('rooms.two', { index: -1 });
      await waitFor(() => received.length === 100);
      expect(received[0]).toEqual({ index: 0, nested: { text: 'ä 😀 \u0000' } });
      expect(received.map((payload) => (payload as { index: number }).index)).toEqual(
        Array.from({ length: 100 }, (_, index) => index),
      );
    });

    test('a payload may be any JSON value', async () => {
      const received: unknown[] = [];
      far.subscribe('any', (payload) => void received.push(payload));
      await far.flush();
      const values = [null, 0, '', false, [], {}, 'x'.repeat(100_000)];
      for (const value of values) near.publish('any', value);
      await waitFor(() => received.length === values.length);
      expect(received).toEqual(values);
    });

    test('wildcards take one token or the rest', async () => {
      const received: string[] = [];
      far.subscribe('a.*.c', (_, subject) => void received.push(`star ${subject}`));
      far.subscribe('a.>', (_, subject) => void received.push(`rest ${subject}`));
      await far.flush();
      for (const subject of ['a', 'b.x.c', 'a.x.c', 'a.x.y', 'a.b.c.d']) near.publish(subject, 1);
      near.publish('a.end', 1);
      await waitFor(() => received.includes('rest a.end'));
      expect(received.toSorted()).toEqual([
        'rest a.b.c.d',
        'rest a.end',
        'rest a.x.c',
        'rest a.x.y',
        'star a.x.c',
      ]);
    });

    test('one member of a queue group gets an event, everybody else gets all', async () => {
      const got = { first: 0, second: 0, other: 0, alone: 0 };
      const count = (who: keyof typeof got) => {
        got[who] += 1;
      };
      near.subscribe('work', () => count('first'), { queue: 'workers' });
      far.subscribe('work', () => count('second'), { queue: 'workers' });
      far.subscribe('work', () => count('other'), { queue: 'others' });
      far.subscribe('work', () => count('alone'));
      await Promise.all([near.flush(), far.flush()]);
      for (let index = 0; index < 200; index += 1) near.publish('work', index);
      await waitFor(() => got.other === 200 && got.alone === 200 && got.first + got.second >= 200);
      expect(got.first + got.second).toBe(200);
      expect(got.first).toBeGreaterThan(0);
      expect(got.second).toBeGreaterThan(0);
    });

    test('nothing arrives after unsubscribe', async () => {
      const received: unknown[] = [];
      const later: unknown[] = [];
      const subscription = far.subscribe('s', (payload) => void received.push(payload));
      far.subscribe('s', (payload) => void later.push(payload));
      await far.flush();
      near.publish('s', 1);
      await waitFor(() => later.length === 1);
      subscription.unsubscribe();
      await far.flush();
      near.publish('s', 2);
      await waitFor(() => later.length === 2);
      expect(received).toEqual([1]);
    });

    test('a handler that throws disturbs nobody', async () => {
      const received: unknown[] = [];
      far.subscribe('s', () => {
        throw new Error('broken handler');
      });
      far.subscribe('s', (payload) => void received.push(payload));
      await far.flush();
      near.publish('s', 1);
      near.publish('s', 2);
      await waitFor(() => received.length === 2);
      expect(received).toEqual([1, 2]);
    });

    test('what is not JSON is counted and never reaches a handler', async () => {
      const received: unknown[] = [];
      far.subscribe('s', (payload) => void received.push(payload));
      await far.flush();
      await harness.publishBroken('s');
      near.publish('s', 'fine');
      await waitFor(() => received.length > 0);
      expect(received).toEqual(['fine']);
      expect(near.dropped + far.dropped).toBe(1);
    });

    test('a malformed subject is a programming error', () => {
      for (const subject of ['', 'a b', 'a..b', '.a', 'a.*', 'a.>', 'a\r\nPUB b 0']) {
        expect(() => near.publish(subject, 1)).toThrow(TypeError);
      }
      expect(() => near.subscribe('a.>.b', () => {})).toThrow(TypeError);
    });

    test('a request is answered once by one member of the queue', async () => {
      const answeredBy = { near: 0, far: 0 };
      const sum = (who: keyof typeof answeredBy) => async (payload: unknown) => {
        answeredBy[who] += 1;
        const [left, right] = payload as [number, number];
        return { sum: left + right };
      };
      near.respond('sum', sum('near'), { queue: 'q' });
      far.respond('sum', sum('far'), { queue: 'q' });
      await Promise.all([near.flush(), far.flush()]);
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => near.request('sum', [index, 1])),
      );
      expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => ({ sum: index + 1 })));
      expect(answeredBy.near + answeredBy.far).toBe(50);
      expect(Math.min(answeredBy.near, answeredBy.far)).toBeGreaterThan(0);
    });

    test('an answer without a value is null', async () => {
      far.respond('nothing', async () => undefined, { queue: 'q' });
      await far.flush();
      expect(await near.request('nothing', {})).toBeNull();
    });

    test('errors of the responder reach the caller with their code, others only as INTERNAL', async () => {
      far.respond(
        'fail',
        async (payload) => {
          if (payload === 'app') throw new AppError('CONFLICT', 'already there');
          if (payload === 'no json') return 1n;
          throw new Error('secret address 10.0.0.1');
        },
        { queue: 'q' },
      );
      await far.flush();
      await expect(near.request('fail', 'app')).rejects.toMatchObject({
        code: 'CONFLICT',
        message: 'already there',
      });
      for (const payload of ['other', 'no json']) {
        const failure = near.request('fail', payload);
        await expect(failure).rejects.toBeInstanceOf(AppError);
        await expect(failure).rejects.toMatchObject({
          code: 'INTERNAL',
          message: 'Internal error',
        });
      }
    });

    test('nobody answers: UNAVAILABLE, whether nobody is there or nobody is done in time', async () => {
      near.subscribe('nobody', () => {});
      await near.flush();
      await expect(near.request('nobody', 1, { timeout: 50 })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      const never = far.respond('slow', () => new Promise(() => {}), { queue: 'q' });
      await far.flush();
      await expect(near.request('slow', 1, { timeout: 50 })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
      never.unsubscribe();
      await far.flush();
      await expect(near.request('slow', 1, { timeout: 5000 })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
    });

    test('past its concurrency a responder answers OVERLOADED at once', async () => {
      const gate = Promise.withResolvers<string>();
      far.respond('busy', () => gate.promise, { queue: 'q', concurrency: 2 });
      await far.flush();
      const inTime = [near.request('busy', 1), near.request('busy', 2)];
      await expect(near.request('busy', 3)).rejects.toMatchObject({ code: 'OVERLOADED' });
      gate.resolve('done');
      expect(await Promise.all(inTime)).toEqual(['done', 'done']);
      expect(await near.request('busy', 4)).toBe('done');
    });
  });
}
