import type { ConversationId } from '@bambochat/protocol';
import type { Cast } from './people.ts';

/** What a worker is told, one after the other. */
export type Order =
  | {
      readonly kind: 'open';
      readonly cast: Cast;
      readonly targets: readonly string[];
      readonly rest: string;
      readonly secret: string | null;
      readonly ids: readonly ConversationId[];
      /** It holds the sockets `worker`, `worker + workers`, … */
      readonly worker: number;
      readonly workers: number;
      /** Sockets a second, of this worker. */
      readonly ramp: number;
    }
  | {
      readonly kind: 'send';
      /** Milliseconds since the epoch. */
      readonly from: number;
      /** Milliseconds. */
      readonly duration: number;
      /** Messages a second, of all workers; each has its part of the senders. */
      readonly rate: number;
      readonly senders: number;
      readonly storm: boolean;
    }
  /** Stored messages of each conversation. */
  | { readonly kind: 'check'; readonly stored: readonly number[] };

/** What happened in a second of the run. */
export interface Second {
  sent: number;
  confirmed: number;
  delivered: number;
  /** Milliseconds; of several processes the slowest one's. */
  confirmP99: number;
  deliveryP99: number;
}

export interface Opened {
  readonly kind: 'opened';
  readonly sockets: number;
  /** Of these, how many are in a conversation. */
  readonly senders: number;
  /** Seconds that it took. */
  readonly seconds: number;
  /** Encoded {@link Latency}. */
  readonly connect: string;
  readonly failures: readonly string[];
}

export interface Checked {
  readonly kind: 'checked';
  readonly sent: number;
  readonly confirmed: number;
  readonly unanswered: number;
  /** Due while the socket of its sender was gone. */
  readonly skipped: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly expected: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Sockets that ended, the storm aside. */
  readonly socketsLost: number;
  /** Confirmed messages of each conversation: the `seq` of each. */
  readonly confirmedSeqs: readonly (readonly [conversation: number, seqs: readonly number[]])[];
  /** Milliseconds that this process was behind its schedule, at most. */
  readonly behind: number;
  /** Seconds of CPU time of this process. */
  readonly cpu: number;
  /** Milliseconds from the storm until all were back; null: there was none. */
  readonly stormOver: number | null;
  readonly confirm: string;
  readonly delivery: string;
  readonly seconds: readonly Second[];
}

export type Report =
  | Opened
  | Checked
  /** Everything that was sent is answered, and nothing has come for a while. */
  | { readonly kind: 'settled' }
  | { readonly kind: 'progress'; readonly open: number; readonly second: Second }
  | { readonly kind: 'failed'; readonly message: string };
