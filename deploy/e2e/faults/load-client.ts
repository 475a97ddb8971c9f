import type { Message } from '../src/contract-shapes.ts';

/** One client of the load: what it has sent, what it was told. */
export interface LoadClient {
  readonly name: string;
  readonly userId: string;
  /** Every message it was asked to send, in order. */
  readonly attempts: readonly Attempt[];
  /** Connected, and for an SDK client also caught up. */
  readonly live: boolean;
  /** Connections lost so far. */
  readonly losses: number;
  /** The greatest `seq` up to which it knows of the conversation; 0: nothing. */
  lastSeq(conversationId: string): number;
  /** The list that it would show now, in its order. */
  list(conversationId: string): readonly Message[];
  /** Sends one message and remembers it. */
  send(conversationId: string, content: string): void;
  /** Nothing that was sent waits for an answer or for being sent again. */
  readonly settled: boolean;
  /** Fetches what a client of this kind fetches by itself only after an event; SDK: nothing. */
  repair(): Promise<void>;
  close(): void;
}

export interface Attempt {
  readonly conversationId: string;
  readonly clientMessageId: string;
  /** Messages of one conversation with the same lane keep their order; null: none is promised. */
  readonly lane: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The client was connected when it was handed over. */
  readonly handedOver: boolean;
  /** `unanswered`: sent once, and nobody knows what became of it. */
  outcome: 'open' | 'confirmed' | 'refused' | 'unanswered';
  message: Message | null;
}
