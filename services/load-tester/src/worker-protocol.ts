import type { ConversationId } from '@bambochat/protocol';
import type { Cast } from './cast.ts';
import type { Reaction } from './read-history.ts';

/** A part of the run with a rate of its own. */
export interface Step {
  /** Messages a second, of all workers. */
  readonly rate: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What a worker is told, one after the other. */
export type Order =
  /** Answered with `time` at once. */
  | { readonly kind: 'clock' }
  | {
      readonly kind: 'open';
      readonly cast: Cast;
      readonly targets: readonly string[];
      readonly rest: string;
      readonly sourceAddresses: readonly string[];
      readonly ids: readonly ConversationId[];
      /** It holds the sockets `worker`, `worker + workers`, … */
      readonly worker: number;
      readonly workers: number;
      /** Sockets a second, of this worker. */
      readonly connectRate: number;
      /** Milliseconds to add to the worker's clock, to have the coordinator's. */
      readonly clockOffset: number;
    }
  | {
      readonly kind: 'send';
      /** Milliseconds since the epoch, by the coordinator's clock: all begin together. */
      readonly from: number;
      readonly steps: readonly Step[];
      /** Sockets of all workers that are in a conversation; each worker has its part of the rate. */
      readonly senders: number;
      readonly storm: boolean;
      readonly mixed: boolean;
    }
  /** Stored messages of each conversation. */
  | { readonly kind: 'check'; readonly stored: readonly number[] }
  | { readonly kind: 'bye' };

/** What happened in a second of the run, or in a step. */
export interface Tally {
  sent: number;
  confirmed: number;
  delivered: number;
  /** By code. */
  refused: Record<string, number>;
  /** Encoded `Latency`. */
  confirm: string;
  delivery: string;
}

export interface Joined {
  readonly kind: 'joined';
  readonly host: string;
  readonly pid: number;
}

export interface Opened {
  readonly kind: 'opened';
  readonly sockets: number;
  /** Of these, how many are in a conversation. */
  readonly senders: number;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Encoded `Latency`. */
  readonly connect: string;
  readonly failures: readonly string[];
}

/** Everything that was sent is answered, and nothing has come for a while. */
export interface Settled {
  readonly kind: 'settled';
  readonly reactions: readonly Reaction[];
}

export interface Checked {
  readonly kind: 'checked';
  readonly steps: readonly (Tally & {
    /** Milliseconds that this process was behind its schedule, at most. */
    readonly behind: number;
  })[];
  readonly unanswered: number;
  /** Due while the socket of its sender was gone. */
  readonly skipped: number;
  readonly expected: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Delivered to who is no member. */
  readonly strays: number;
  /** Sockets that ended and were not meant to. */
  readonly socketsLost: number;
  /** Confirmed messages of each conversation: an encoded `SeqSet`. */
  readonly confirmedSeqs: readonly (readonly [conversation: number, seqs: string])[];
  /** Confirmed with a `seq` that another message had been confirmed with before. */
  readonly confirmedTwice: number;
  readonly day: DayFigures;
  /** Seconds of CPU time of this process. */
  readonly cpu: number;
  /** Milliseconds from the storm until all were back; null: there was none. */
  readonly stormOver: number | null;
}

/** What people did beside sending, on a mixed day. */
export interface DayFigures {
  typings: number;
  marks: number;
  reactions: number;
  /** Who went and came back. */
  returns: number;
  /** Messages that who came back read in the history. */
  caughtUp: number;
  /** Answers that were not what the contract says, and holes in the history of who came back. */
  wrong: number;
}

/** Every second, from the beginning: it says as well that the worker is alive. */
export interface Progress {
  readonly kind: 'progress';
  readonly open: number;
  /** Which second of the run; null: it has not begun, or is over. */
  readonly second: number | null;
  readonly tally: Tally | null;
}

export type Report =
  | Joined
  | { readonly kind: 'time'; readonly now: number }
  | Opened
  | Settled
  | Checked
  | Progress
  | { readonly kind: 'failed'; readonly message: string };
