import type { CommandDelivery, EventBus } from '@bambochat/messaging';
import {
  isTransient,
  type MessageRequest,
  type MessageResult,
  type MessageResults,
  notFound,
  type SendMessagesCommand,
  sendMessagesCommandSchema,
  subjects,
  toWireError,
} from '@bambochat/protocol';
import type { RoomEmitter } from '@bambochat/rooms';
import type { Logger } from '@bambochat/runtime';
import type { MembershipCache } from './membership-cache.ts';
import type { MessageServiceMetrics } from './message-service-metrics.ts';
import type { Sequenced, Sequencer } from './sequence-messages.ts';

/** From this try on, each message of a failing command is handled by itself. */
const ALONE_FROM_ATTEMPT = 3;

export interface CommandHandling {
  members: MembershipCache;
  sequencerOf(partition: number): Sequencer;
  emitter: RoomEmitter;
  bus: EventBus;
  /** Also send `receive_message` to the socket that sent it. */
  echoToSender: boolean;
  metrics: MessageServiceMetrics;
  logger: Logger;
}

/**
 * One command: authorise, sequence and store, broadcast, confirm. Returning means the log may
 * forget it; every step may be repeated, so a crash anywhere in between only does it again.
 */
export async function handleCommand(
  handling: CommandHandling,
  delivery: CommandDelivery,
): Promise<void> {
  const command = decode(delivery.command);
  const sequencer = handling.sequencerOf(delivery.partition);
  if (!delivery.contiguous) {
    sequencer.forget();
  }
  const { allowed, results } = await authorise(handling, command.messages);
  if (delivery.attempt < ALONE_FROM_ATTEMPT) {
    results.push(...(await storeAndBroadcast(handling, delivery, sequencer, allowed)));
  } else {
    // Something in here fails by itself. Its neighbours must not share its fate.
    for (const request of allowed) {
      results.push(await storeAlone(handling, delivery, sequencer, command, request));
    }
  }
  tell(handling, command, results);
}

/** A command became a dead letter as a whole: its senders are told, not left waiting. */
export function reportDeadCommand(handling: CommandHandling, delivery: CommandDelivery): void {
  handling.metrics.deadLetters.inc();
  let command: SendMessagesCommand;
  try {
    command = decode(delivery.command);
  } catch {
    return;
  }
  const error = toWireError(null);
  tell(
    handling,
    command,
    command.messages.map(({ ref }) => ({ ref, error })),
  );
}

/** @throws an error that is not transient, so that garbage ends as a dead letter. */
function decode(command: Uint8Array): SendMessagesCommand {
  return sendMessagesCommandSchema.parse(JSON.parse(new TextDecoder().decode(command)));
}

async function authorise(
  handling: CommandHandling,
  requests: readonly MessageRequest[],
): Promise<{ allowed: MessageRequest[]; results: MessageResult[] }> {
  const members = await handling.members.areMembers(
    requests.map(({ conversationId, senderId }) => ({ conversationId, userId: senderId })),
  );
  const error = toWireError(notFound('Conversation'));
  const allowed: MessageRequest[] = [];
  const results: MessageResult[] = [];
  for (const [index, request] of requests.entries()) {
    if (members[index] === true) {
      allowed.push(request);
    } else {
      results.push({ ref: request.ref, error });
    }
  }
  handling.metrics.messages.inc({ outcome: 'refused' }, results.length);
  return { allowed, results };
}

async function storeAndBroadcast(
  handling: CommandHandling,
  delivery: CommandDelivery,
  sequencer: Sequencer,
  requests: readonly MessageRequest[],
): Promise<MessageResult[]> {
  const sequenced = await sequencer.store(requests);
  return requests.map((request, index) => {
    const outcome = sequenced[index];
    if (outcome === undefined) {
      throw new Error('the sequencer answered too few requests');
    }
    broadcast(handling, delivery, request, outcome);
    return { ref: request.ref, message: outcome.message };
  });
}

async function storeAlone(
  handling: CommandHandling,
  delivery: CommandDelivery,
  sequencer: Sequencer,
  command: SendMessagesCommand,
  request: MessageRequest,
): Promise<MessageResult> {
  try {
    const [result] = await storeAndBroadcast(handling, delivery, sequencer, [request]);
    if (result === undefined) {
      throw new Error('the sequencer did not answer');
    }
    return result;
  } catch (error) {
    if (isTransient(error)) {
      throw error;
    }
    handling.logger.error({ err: error, ref: request.ref }, 'message became a dead letter');
    const part: SendMessagesCommand = { ...command, messages: [request] };
    await delivery.deadLetter(new TextEncoder().encode(JSON.stringify(part)), String(error));
    handling.metrics.deadLetters.inc();
    return { ref: request.ref, error: toWireError(error) };
  }
}

/**
 * A retry by the client finds a message whose own command broadcast it, or will when it is
 * delivered again: only a redelivered command may owe a broadcast for what was stored before.
 */
function broadcast(
  handling: CommandHandling,
  delivery: CommandDelivery,
  request: MessageRequest,
  { message, duplicate }: Sequenced,
): void {
  handling.metrics.messages.inc({ outcome: duplicate ? 'duplicate' : 'stored' });
  if (duplicate && !delivery.redelivered) {
    return;
  }
  handling.emitter.toConversation(
    message.conversationId,
    'receive_message',
    message,
    handling.echoToSender ? {} : { exceptSocketId: request.socketId },
  );
}

function tell(
  handling: CommandHandling,
  command: SendMessagesCommand,
  results: MessageResult[],
): void {
  const payload: MessageResults = { results };
  handling.bus.publish(subjects.messageResults(command.gatewayId), payload);
}
