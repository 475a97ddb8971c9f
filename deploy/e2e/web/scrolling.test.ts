import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { createDirect, newPeople, online, type Person } from '../src/person.ts';
import { startStandalone } from '../src/standalone-target.ts';
import { useTarget } from '../src/target.ts';
import { useBrowser } from './browser-fixture.ts';
import { Visitor } from './visitor.ts';

const target = useTarget(() => startStandalone());
const browser = useBrowser();

const MESSAGES = 10_000;
/** How far it is scrolled down again. */
const AGAIN = 2000;
const AT_ONCE = 200;
/** However long a conversation is, the page holds a window of it. */
const ROWS_MAX = 500;
/** Pixels that a message may be off where it was: parts of pixels are rounded. */
const JUMP_MAX = 2;

interface Walk {
  readonly seen: number;
  readonly rowsMax: number;
  readonly jumps: string[];
  readonly disorder: string[];
  readonly pages: number;
  readonly frames: number[];
}

describe('a conversation of 10,000 messages', { timeout: 280_000 }, () => {
  test('is scrolled from the end to its beginning and on again: complete, in order, without a jump', async (context) => {
    const opened = browser(context);
    const [ada, ben] = (await newPeople(target(), 'web', 2)) as [Person, Person];
    const { _id } = await createDirect(ada, ben);
    {
      using atBen = await online(target(), ben);
      for (let first = 0; first < MESSAGES; first += AT_ONCE) {
        await Promise.all(
          Array.from({ length: AT_ONCE }, (_none, index) =>
            atBen.say(_id, textOf(first + index + 1)),
          ),
        );
      }
    }
    const page = await ada.page(_id, { limit: 1 });
    expect(page.lastSeq).toBe(MESSAGES);
    await ada.rest('GET', '/api/conversations');
    {
      using atAda = await online(target(), ada);
      await atAda.socket.emitWithAck('mark_read', {
        conversationId: _id,
        messageId: page.messages[0]?._id,
      });
    }

    await using atAda = await Visitor.signedIn(opened, target().restUrl, ada);
    await atAda.openConversation(ben.userId);
    await atAda.log.locator(`[data-seq="${MESSAGES}"]`).waitFor();
    const back = await walk(atAda, -1, 1);
    report('up', back);
    expect(back.seen).toBe(MESSAGES);
    const on = await walk(atAda, 1, AGAIN);
    report('down', on);
    expect(on.seen).toBeGreaterThanOrEqual(AGAIN);
    for (const { jumps, disorder, rowsMax, pages } of [back, on]) {
      expect(jumps).toEqual([]);
      expect(disorder).toEqual([]);
      expect(rowsMax).toBeLessThanOrEqual(ROWS_MAX);
      // It was not all there from the beginning.
      expect(pages).toBeGreaterThan(AGAIN / ROWS_MAX);
    }

    // By the wheel, as people do; and back with one click.
    await atAda.log.hover();
    await atAda.page.mouse.wheel(0, -3000);
    await atAda.button('Jump to latest').click();
    await waitFor(() =>
      atAda.log.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 2),
    );
    await atAda.write('the newest');
    await atAda.sees('the newest', 'stored');
    expect(atAda.problems).toEqual([]);
  });
});

/** One line, several lines, other scripts: heights that nobody can guess. */
function textOf(seq: number): string {
  const lines = Array.from({ length: 1 + ((seq * 7) % 4) }, (_none, line) => `line ${line + 1}`);
  return seq % 3 === 0
    ? `№ ${seq} ${'字 كلمة word '.repeat(seq % 11)}`
    : `№ ${seq} ${lines.join('\n')}`;
}

function report(direction: string, { frames, rowsMax, pages }: Walk): void {
  const sorted = frames.toSorted((one, other) => one - other);
  const at = (part: number) => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  process.stdout.write(
    `scrolling ${direction}: ${frames.length} frames, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, longest ${at(1)} ms; at most ${rowsMax} rows, ${pages} changes of the window\n`,
  );
}

/**
 * Scrolls in steps of three screens until `goal` is in the list. After each step the message
 * in the middle of the view is watched until the page has come to rest: whatever is put above or
 * below it, it must stay where it is.
 */
function walk(visitor: Visitor, direction: -1 | 1, goal: number): Promise<Walk> {
  return visitor.log.evaluate(
    async (log, { direction, goal, jumpMax }) => {
      const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve));
      const rows = () => [...log.querySelectorAll<HTMLElement>('[data-seq]')];
      const seqOf = (row: HTMLElement | undefined) => Number(row?.dataset.seq);
      const seen = new Set<number>();
      const jumps: string[] = [];
      const disorder: string[] = [];
      const frames: number[] = [];
      let rowsMax = 0;
      let pages = 0;
      let edge = '';
      let lastFrame = await nextFrame();

      const frame = async () => {
        const now = await nextFrame();
        frames.push(now - lastFrame);
        lastFrame = now;
      };
      const note = () => {
        const seqs = rows().map(seqOf);
        rowsMax = Math.max(rowsMax, seqs.length);
        for (const [index, seq] of seqs.entries()) {
          seen.add(seq);
          if (index > 0 && seq !== (seqs[index - 1] ?? 0) + 1) {
            disorder.push(`${seq} after ${seqs[index - 1]}`);
          }
        }
        const edges = `${seqs[0]}-${seqs.at(-1)}`;
        if (edges !== edge) {
          pages += 1;
          edge = edges;
        }
      };
      const isAtEdge = () =>
        direction < 0
          ? log.scrollTop <= 0
          : log.scrollHeight - log.scrollTop - log.clientHeight < 1;
      const middleRow = () => {
        const middle = log.getBoundingClientRect().top + log.clientHeight / 2;
        return rows().find((row) => row.getBoundingClientRect().bottom > middle) ?? rows()[0];
      };

      note();
      for (;;) {
        const ends = rows().map(seqOf);
        if (direction < 0 ? isAtEdge() && ends[0] === goal : ends.includes(goal)) {
          return { seen: seen.size, rowsMax, jumps, disorder, pages, frames };
        }
        log.scrollTop += direction * log.clientHeight * 3;
        const row = middleRow();
        const before = row?.getBoundingClientRect().top ?? 0;
        const offset = log.getBoundingClientRect().top;
        // At rest: nothing is put in any more; at an edge that is not the goal something has to come.
        const edgeBefore = edge;
        for (let calm = 0; calm < 2; ) {
          await frame();
          note();
          const mustWait = isAtEdge() && !rows().some((one) => seqOf(one) === goal);
          calm = edge === edgeBefore && !mustWait ? calm + 1 : edge !== edgeBefore ? 2 : 0;
        }
        if (row?.isConnected === true) {
          const moved =
            row.getBoundingClientRect().top - before - (log.getBoundingClientRect().top - offset);
          if (Math.abs(moved) > jumpMax) {
            jumps.push(`№ ${seqOf(row)} by ${moved.toFixed(1)} px`);
          }
        } else {
          jumps.push(`№ ${seqOf(row)} in the middle of the view was taken away`);
        }
      }
    },
    { direction, goal, jumpMax: JUMP_MAX },
  );
}
