import { AppError } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CommandConsumer, CommandDelivery, CommandLog } from './command-log.ts';

export interface CommandLogHarness extends AsyncDisposable {
  /**
   * Handles to one log on storage of its own, each as another process would have it.
   * `capacity`: commands that may wait.
   */
  open(options: {
    partitions?: number;
    capacity?: number;
    handles?: number;
  }): Promise<CommandLog[]>;
}

export const text = (command: Uint8Array) => new TextDecoder().decode(command);
export const bytes = (command: string) => new TextEncoder().encode(command);

/** The guarantees of {@link CommandLog}, for every adapter. */
export function commandLogContract(
  name: string,
  makeHarness: () => Promise<CommandLogHarness>,
): void {
  describe(`${name} keeps the contract of a command log`, () => {
    let harness: CommandLogHarness;
    let running: CommandConsumer[];

    beforeEach(async () => {
      harness = await makeHarness();
      running = [];
    });

    afterEach(async () => {
      await Promise.all(running.map((consumer) => consumer.stop(0)));
      await harness[Symbol.asyncDispose]();
    });

    async function openOne(options: { partitions?: number; capacity?: number } = {}) {
      const [log] = await harness.open(options);
      return log as CommandLog;
    }

    async function consume(log: CommandLog, ...args: Parameters<CommandLog['consume']>) {
      const consumer = await log.consume(...args);
      running.push(consumer);
      return consumer;
    }

    test('commands of a partition are handled in order and one at a time by several consumers', async () => {
      const logs = await harness.open({ partitions: 2, handles: 3 });
      const handled: string[][] = [[], []];
      const workers = new Set<number>();
      const busy = [0, 0];
      let overlaps = 0;
      for (const [index, log] of logs.entries()) {
        await consume(log, async ({ partition, command }) => {
          busy[partition] = (busy[partition] ?? 0) + 1;
          if (busy[partition] > 1) overlaps += 1;
          await new Promise((resolve) => setImmediate(resolve));
          handled[partition]?.push(text(command));
          workers.add(index);
          busy[partition] -= 1;
        });
      }
      const expected = Array.from({ length: 60 }, (_, index) => `command ${index}`);
      for (const command of expected) {
        await Promise.all(logs.slice(0, 2).map((log, index) => log.append(index, bytes(command))));
      }
      await waitFor(() => handled.every((list) => list.length >= expected.length));
      expect(handled).toEqual([expected, expected]);
      expect(overlaps).toBe(0);
      expect(workers.size).toBeGreaterThan(1);
    });

    test('tells how far consumers are behind, each partition by itself', async () => {
      const before = Date.now();
      const log = await openOne({ partitions: 2 });
      expect(await log.figures()).toMatchObject({ oldestAt: null, bytes: 0, deadLetters: 0 });
      for (const command of ['one', 'two', 'three']) await log.append(1, bytes(command));
      const gate = Promise.withResolvers<void>();
      const ages: number[] = [];
      await consume(log, async ({ acceptedAt, deadLetter }) => {
        ages.push(acceptedAt);
        await gate.promise;
        if (ages.length === 1) await deadLetter(bytes('part'), 'reason');
      });
      await waitFor(() => ages.length === 1);
      const behind = await log.figures();
      expect(behind.partitions).toEqual([
        { partition: 0, pending: 0, unacknowledged: 0 },
        { partition: 1, pending: 2, unacknowledged: 1 },
      ]);
      // By one clock here; the server may round.
      expect(behind.oldestAt).toBeGreaterThan(before - 10);
      expect(ages[0]).toBeGreaterThan(before - 10);
      expect(ages[0]).toBeLessThan(Date.now() + 10);
      expect(behind.bytes).toBeGreaterThan(0);
      gate.resolve();
      await waitFor(async () => {
        const { partitions, deadLetters } = await log.figures();
        const idle = partitions.every((one) => one.pending + one.unacknowledged === 0);
        return idle && deadLetters === 1;
      });
    });

    test('one appender keeps its order without waiting for each append', async () => {
      const log = await openOne({ partitions: 1 });
      const expected = Array.from({ length: 200 }, (_, index) => `${index}`);
      await Promise.all(expected.map((command) => log.append(0, bytes(command))));
      const handled: string[] = [];
      await consume(log, async ({ command }) => {
        handled.push(text(command));
      });
      await waitFor(() => handled.length >= expected.length);
      expect(handled).toEqual(expected);
    });

    test('a partition that stands still does not stop the others', async () => {
      const log = await openOne({ partitions: 3 });
      const blocked = Promise.withResolvers<void>();
      const handled: string[] = [];
      await consume(log, async ({ partition, command }) => {
        if (partition === 1) await blocked.promise;
        handled.push(text(command));
      });
      await log.append(1, bytes('blocked'));
      await log.append(1, bytes('behind it'));
      await log.append(0, bytes('a'));
      await log.append(2, bytes('b'));
      await waitFor(() => handled.length === 2);
      expect(handled.toSorted()).toEqual(['a', 'b']);
      expect(await log.depth()).toBeGreaterThanOrEqual(2);
      blocked.resolve();
      await waitFor(() => handled.length === 4);
      expect(handled.slice(2)).toEqual(['blocked', 'behind it']);
    });

    test('a command that a stopped consumer did not finish goes to another one, before those behind it', async () => {
      const [first, second] = (await harness.open({ partitions: 1, handles: 2 })) as [
        CommandLog,
        CommandLog,
      ];
      const started = Promise.withResolvers<CommandDelivery>();
      const vanishing = await consume(first, (delivery) => {
        started.resolve(delivery);
        return new Promise(() => {});
      });
      await first.append(0, bytes('one'));
      await first.append(0, bytes('two'));
      const stuck = await started.promise;
      expect(stuck.redelivered).toBe(false);
      const handled: [string, boolean, boolean][] = [];
      await consume(second, async ({ command, redelivered, contiguous }) => {
        handled.push([text(command), redelivered, contiguous]);
      });
      expect(stuck.signal.aborted).toBe(false);
      await vanishing.stop(20);
      expect(stuck.signal.aborted).toBe(true);
      // It was handed over, not timed out: the harness sets a deadline longer than this waits.
      await waitFor(() => handled.length === 2);
      expect(handled).toEqual([
        ['one', true, false],
        ['two', false, true],
      ]);
    });

    test('transient failures are tried again in place for as long as it takes', async () => {
      const log = await openOne({ partitions: 1 });
      const attempts: number[] = [];
      const remembered: boolean[] = [];
      const handled: string[] = [];
      const failures: unknown[] = [];
      await consume(
        log,
        async ({ command, attempt, contiguous }) => {
          remembered.push(contiguous);
          if (text(command) === 'waits' && attempts.push(attempt) < 20) {
            throw new AppError(attempts.length % 2 ? 'UNAVAILABLE' : 'OVERLOADED', 'later');
          }
          handled.push(text(command));
        },
        {
          maxAttempts: 2,
          backoff: 1,
          maxBackoff: 5,
          onFailure: (_, error) => void failures.push(error),
        },
      );
      await log.append(0, bytes('waits'));
      await log.append(0, bytes('behind it'));
      await waitFor(() => handled.length === 2);
      expect(handled).toEqual(['waits', 'behind it']);
      expect(attempts).toEqual(Array.from({ length: 20 }, () => 1));
      expect(failures).toHaveLength(19);
      expect(remembered).toEqual([false, ...Array.from({ length: 20 }, () => true)]);
      expect(await log.deadLetters(10)).toEqual([]);
    });

    test('a command that fails by itself becomes a dead letter and the partition goes on', async () => {
      const log = await openOne({ partitions: 2 });
      const attempts: number[] = [];
      const told: [string, string][] = [];
      const handled: string[] = [];
      await consume(
        log,
        async ({ command, attempt }) => {
          if (text(command).startsWith('bad')) {
            attempts.push(attempt);
            throw new Error(`cannot read ${text(command)}\nat all`);
          }
          handled.push(text(command));
        },
        {
          maxAttempts: 3,
          backoff: 1,
          maxBackoff: 5,
          onDeadLetter: ({ command }, error) => {
            told.push([text(command), (error as Error).message]);
            throw new Error('a listener that throws changes nothing');
          },
        },
      );
      await log.append(1, bytes('bad 1'));
      await log.append(1, bytes('good'));
      await waitFor(() => handled.length === 1);
      await log.append(1, bytes('bad 2'));
      await waitFor(async () => (await log.depth()) === 0 && told.length === 2);
      expect(attempts).toEqual([1, 2, 3, 1, 2, 3]);
      expect(told[0]).toEqual(['bad 1', 'cannot read bad 1\nat all']);
      const letters = await log.deadLetters(10);
      expect(letters.map((letter) => [text(letter.command), letter.partition])).toEqual([
        ['bad 2', 1],
        ['bad 1', 1],
      ]);
      expect(letters[1]?.reason).toBe('Error: cannot read bad 1 at all');
      expect(letters[0]?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(await log.deadLetters(1)).toHaveLength(1);
      expect(await log.deadLetters(0)).toEqual([]);
    });

    test('a handler may put a part aside and finish the rest', async () => {
      const log = await openOne({ partitions: 1 });
      const done = Promise.withResolvers<void>();
      await consume(log, async ({ deadLetter }) => {
        await deadLetter(bytes('the bad half'), 'no such conversation é');
        done.resolve();
      });
      await log.append(0, bytes('whole'));
      await done.promise;
      await waitFor(async () => (await log.depth()) === 0);
      const letters = await log.deadLetters(10);
      expect(letters.map(({ command, reason }) => [text(command), reason])).toEqual([
        ['the bad half', 'no such conversation é'],
      ]);
    });

    test('a full log refuses with OVERLOADED and accepts again once something was handled', async () => {
      const log = await openOne({ partitions: 2, capacity: 3 });
      for (const partition of [0, 1, 0]) await log.append(partition, bytes('x'));
      await expect(log.append(1, bytes('too many'))).rejects.toMatchObject({ code: 'OVERLOADED' });
      expect(await log.depth()).toBe(3);
      const handled: string[] = [];
      await consume(log, async ({ command }) => {
        handled.push(text(command));
      });
      await waitFor(async () => (await log.depth()) === 0);
      await log.append(1, bytes('fits again'));
      await waitFor(() => handled.length === 4);
      expect(handled.at(-1)).toBe('fits again');
    });

    test('a command past the payload bound is refused with TOO_LARGE', async () => {
      const log = await openOne();
      const huge = new Uint8Array(2 * 1024 * 1024);
      await expect(log.append(0, huge)).rejects.toMatchObject({ code: 'TOO_LARGE' });
      await log.append(0, bytes('and it still works'));
      expect(await log.depth()).toBe(1);
    });

    test('a partition out of range is a programming error', async () => {
      const log = await openOne({ partitions: 4 });
      expect(log.partitions).toBe(4);
      await expect(log.append(4, bytes('x'))).rejects.toThrow(RangeError);
      await expect(log.append(-1, bytes('x'))).rejects.toThrow(RangeError);
    });

    test('stop lets work in flight finish and takes nothing new', async () => {
      const log = await openOne({ partitions: 1 });
      const started = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      const handled: string[] = [];
      const consumer = await consume(log, async ({ command }) => {
        started.resolve();
        await finish.promise;
        handled.push(text(command));
      });
      await log.append(0, bytes('in flight'));
      await log.append(0, bytes('next'));
      await started.promise;
      const stopped = consumer.stop(10_000);
      finish.resolve();
      await stopped;
      expect(handled).toEqual(['in flight']);
      await waitFor(async () => (await log.depth()) === 1);
      await consume(log, async ({ command, redelivered }) => {
        handled.push(`${text(command)}, redelivered: ${redelivered}`);
      });
      await waitFor(() => handled.length === 2);
      expect(handled[1]).toBe('next, redelivered: false');
    });

    test('stop ends the pause of a command that waits for its next try', async () => {
      const log = await openOne({ partitions: 1 });
      const failed = Promise.withResolvers<void>();
      const consumer = await consume(
        log,
        async () => {
          failed.resolve();
          throw new AppError('UNAVAILABLE', 'later');
        },
        { backoff: 3_600_000, maxBackoff: 3_600_000 },
      );
      await log.append(0, bytes('kept'));
      await failed.promise;
      await consumer.stop(3_600_000);
      expect(await log.depth()).toBe(1);
    });
  });
}
