import type { Msg } from 'nats';

/** One delivery of one command by JetStream: what its acknowledgement subject says about it. */
export interface JetStreamDelivery {
  readonly message: Msg;
  readonly consumer: string;
  /** Deliveries of this command so far, this one included. */
  readonly deliveryCount: number;
  /** The command's place in the stream. */
  readonly streamSequence: number;
  /** Rises by one with every delivery of this consumer (partition), to whomever. */
  readonly consumerSequence: number;
  /** When the server accepted the command, by its clock: milliseconds since the epoch. */
  readonly acceptedAt: number;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<count>.<stream seq>.<consumer seq>.<time>.<pending>`, or the
 * longer form with domain and account in front of the stream. Undefined when it is something else.
 */
export function readDelivery(message: Msg): JetStreamDelivery | undefined {
  const tokens = message.reply?.split('.') ?? [];
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const [consumer = '', ...numbers] = tokens.slice(tokens.length === 9 ? 3 : 5);
  const [deliveryCount, streamSequence, consumerSequence, nanoseconds = Number.NaN] =
    numbers.map(Number);
  if (!deliveryCount || !streamSequence || !consumerSequence) return undefined;
  const acceptedAt = nanoseconds / 1_000_000;
  return { message, consumer, deliveryCount, streamSequence, consumerSequence, acceptedAt };
}

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const NAK = encoder.encode('-NAK');
const WORKING = encoder.encode('+WPI');

/**
 * On a closed connection there is nobody to tell: the acknowledgement deadline does it then, and
 * the command is delivered again.
 */
function tell({ message }: JetStreamDelivery, payload: Uint8Array, inbox?: string): void {
  try {
    message.respond(payload, inbox === undefined ? {} : { reply: inbox });
  } catch {
    // As above.
  }
}

/** The command is done; nothing further is wanted. */
export function acknowledge(delivery: JetStreamDelivery): void {
  tell(delivery, ACK);
}

/** The command is done, and the next one is to be sent to `inbox`: both in one message. */
export function acknowledgeAndPull(
  delivery: JetStreamDelivery,
  pullRequest: string,
  inbox: string,
): void {
  tell(delivery, encoder.encode(`+NXT ${pullRequest}`), inbox);
}

/** Somebody else is to have the command, at once or after `delay` ms. */
export function giveBack(delivery: JetStreamDelivery, delay = 0): void {
  tell(delivery, delay > 0 ? encoder.encode(`-NAK {"delay":${delay * 1_000_000}}`) : NAK);
}

/** Starts the acknowledgement deadline anew. */
export function stillWorking(delivery: JetStreamDelivery): void {
  tell(delivery, WORKING);
}
