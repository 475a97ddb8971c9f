import { Latency, type LatencySummary } from './latency.ts';
import { SeqSet } from './seq-set.ts';
import type { Checked, DayFigures, Tally } from './worker-protocol.ts';

/** Of all workers: what happened in a second, or in a step. */
export interface Figures {
  readonly sent: number;
  readonly confirmed: number;
  readonly delivered: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  /** From when a message was due to its confirmation. */
  readonly confirm: LatencySummary;
  /** From when a message was due to each receiver. */
  readonly delivery: LatencySummary;
}

/** Sums, and histograms laid over each other. */
export class MergedTally {
  sent = 0;
  confirmed = 0;
  delivered = 0;
  readonly refused: Record<string, number> = {};
  readonly confirm = new Latency();
  readonly delivery = new Latency();

  add(tally: Tally): void {
    this.sent += tally.sent;
    this.confirmed += tally.confirmed;
    this.delivered += tally.delivered;
    for (const [code, count] of Object.entries(tally.refused)) {
      this.refused[code] = (this.refused[code] ?? 0) + count;
    }
    this.confirm.add(tally.confirm);
    this.delivery.add(tally.delivery);
  }

  figures(): Figures {
    const { sent, confirmed, delivered, refused } = this;
    return {
      sent,
      confirmed,
      delivered,
      refused: { ...refused },
      confirm: this.confirm.summary(),
      delivery: this.delivery.summary(),
    };
  }
}

export function mergeTallies(tallies: readonly Tally[]): MergedTally {
  const merged = new MergedTally();
  for (const tally of tallies) {
    merged.add(tally);
  }
  return merged;
}

export function mergeDays(days: readonly DayFigures[]): DayFigures {
  const all = { typings: 0, marks: 0, reactions: 0, returns: 0, caughtUp: 0, wrong: 0 };
  for (const day of days) {
    for (const name of Object.keys(all) as (keyof DayFigures)[]) {
      all[name] += day[name];
    }
  }
  return all;
}

/** Each confirmed `seq` is one of 1 … stored, and nobody else's, on whichever worker they are. */
export function confirmedNotStored(
  checked: readonly Pick<Checked, 'confirmedSeqs' | 'confirmedTwice'>[],
  stored: readonly number[],
): number {
  const known = new Map<number, SeqSet>();
  let missing = checked.reduce((sum, { confirmedTwice }) => sum + confirmedTwice, 0);
  for (const [conversation, encoded] of checked.flatMap(({ confirmedSeqs }) => confirmedSeqs)) {
    const seqs = known.get(conversation) ?? new SeqSet();
    known.set(conversation, seqs);
    for (const seq of SeqSet.decode(encoded)) {
      const isNew = seqs.add(seq);
      missing += Number(seq > (stored[conversation] ?? 0) || !isNew);
    }
  }
  return missing;
}
