import type { CommandDelivery, EventBus } from '@bambochat/messaging';
import {
  type ChatRequest,
  type ChatRequestsCommand,
  type ChatResult,
  type ChatResults,
  chatRequestsCommandSchema,
  isTransient,
  type MessageRequest,
  notFound,
  subjects,
  toWireError,
} from '@bambochat/protocol';
import type { RoomEmitter } from '@bambochat/rooms';
import type { Logger, Tracer } from '@bambochat/runtime';
import { changeStates, type StateStores } from './change-states.ts';
import type { MembershipCache } from './membership-cache.ts';
import type { MessageServiceMetrics } from './message-service-metrics.ts';
import type { Sequenced, Sequencer } from './sequence-messages.ts';
import { type CommandTrace, traceCommand } from './trace-command.ts';

/** From this try on, each request of a failing command is handled by itself. */
const ALONE_FROM_ATTEMPT = 3;

export interface CommandHandling {
  members: MembershipCache;
  stores: StateStores;
  sequencerOf(partition: number): Sequencer;
  emitter: RoomEmitter;
  bus: EventBus;
  /** Also send `receive_message` to the socket that sent it. */
  echoToSender: boolean;
  metrics: MessageServiceMetrics;
  logger: Logger;
  tracer?: Tracer | undefined;
}

/**
 * One command: authorise, store, broadcast, confirm. Returning means the log may
 * forget it; every step may be repeated, so a crash anywhere in between only does it again.
 */
export async function handleCommand(
  handling: CommandHandling,
  delivery: CommandDelivery,
): Promise<void> {
  const command = decode(delivery.command);
  const trace = traceCommand(handling.tracer, delivery, command.requests);
  if (trace === undefined) {
    await handleRequests(handling, delivery, command, trace);
  } else {
    await trace.run(async () => {
      await handleRequests(handling, delivery, command, trace);
      const { partition, attempt } = delivery;
      handling.logger.debug(
        { partition, attempt, requests: command.requests.length },
        'command handled',
      );
    });
  }
}

async function handleRequests(
  handling: CommandHandling,
  delivery: CommandDelivery,
  command: ChatRequestsCommand,
  trace: CommandTrace | undefined,
): Promise<void> {
  const sequencer = handling.sequencerOf(delivery.partition);
  if (!delivery.contiguous) {
    sequencer.forget();
  }
  const end = handling.metrics.commandSteps.startTimer({ step: 'authorise' });
  const { allowed, results } = await authorise(handling, command.requests);
  end();
  if (delivery.attempt < ALONE_FROM_ATTEMPT) {
    results.push(...(await carryOut(handling, delivery, sequencer, trace, allowed)));
  } else {
    // Something in here fails by itself. Its neighbours must not share its fate.
    for (const request of allowed) {
      results.push(await carryOutAlone(handling, delivery, sequencer, trace, command, request));
    }
  }
  tell(handling, command, results);
}

/** A command became a dead letter as a whole: its senders are told, not left waiting. */
export function reportDeadCommand(handling: CommandHandling, delivery: CommandDelivery): void {
  handling.metrics.deadLetters.inc();
  let command: ChatRequestsCommand;
  try {
    command = decode(delivery.command);
  } catch {
    return;
  }
  const error = toWireError(null);
  tell(
    handling,
    command,
    command.requests.map(({ ref }) => ({ ref, error })),
  );
}

/** @throws an error that is not transient, so that garbage ends as a dead letter. */
function decode(command: Uint8Array): ChatRequestsCommand {
  return chatRequestsCommandSchema.parse(JSON.parse(new TextDecoder().decode(command)));
}

async function authorise(
  handling: CommandHandling,
  requests: readonly ChatRequest[],
): Promise<{ allowed: ChatRequest[]; results: ChatResult[] }> {
  const members = await handling.members.areMembers(
    requests.map((request) => ({
      conversationId: request.conversationId,
      userId: request.kind === 'message' ? request.senderId : request.userId,
    })),
  );
  const allowed: ChatRequest[] = [];
  const results: ChatResult[] = [];
  for (const [index, request] of requests.entries()) {
    if (members[index] === true) {
      allowed.push(request);
    } else {
      // A reaction names a message, and is answered as for one that does not exist.
      const error = notFound(request.kind === 'reaction' ? 'Message' : 'Conversation');
      results.push({ ref: request.ref, error: toWireError(error) });
      count(handling, request, 'refused');
    }
  }
  return { allowed, results };
}

function count({ metrics }: CommandHandling, { kind }: ChatRequest, outcome: string): void {
  if (kind === 'message') {
    metrics.messages.inc({ outcome });
  } else {
    metrics.changes.inc({ kind, outcome });
  }
}

/**
 * Everything is stored before anything is broadcast, so that a store that goes away in between makes
 * nobody hear a message twice. Marks and reactions come first: they name messages that were stored
 * before this command was made.
 */
async function carryOut(
  handling: CommandHandling,
  delivery: CommandDelivery,
  sequencer: Sequencer,
  trace: CommandTrace | undefined,
  requests: readonly ChatRequest[],
): Promise<ChatResult[]> {
  const messages = requests.filter((request) => request.kind === 'message');
  const others = requests.filter((request) => request.kind !== 'message');
  const changing = beginStep(handling, 'change', trace?.step('change states', others), others);
  const changed = await changeStates(handling.stores, others, delivery.redelivered);
  changing.end();
  const storing = beginStep(handling, 'store', trace?.step('store messages', messages), messages);
  const sequenced = await sequencer.store(messages);
  storing.end();
  const publishing = beginStep(handling, 'publish', undefined, requests);
  const results: ChatResult[] = messages.map((request, index) => {
    const outcome = sequenced[index];
    if (outcome === undefined) {
      throw new Error('the sequencer answered too few requests');
    }
    const emitter = trace?.emitterFor(request, handling.emitter) ?? handling.emitter;
    broadcast(handling, emitter, delivery, request, outcome);
    return { ref: request.ref, message: outcome.message };
  });
  for (const { request, result, announce } of changed) {
    announce(trace?.emitterFor(request, handling.emitter) ?? handling.emitter);
    count(handling, request, 'error' in result ? 'refused' : 'done');
    results.push(result);
  }
  publishing.end();
  return results;
}

/** Measured, unless there is nothing to do. */
function beginStep(
  { metrics }: CommandHandling,
  step: string,
  span: { end(): void } | undefined,
  requests: readonly ChatRequest[],
): { end(): void } {
  const observe = requests.length === 0 ? null : metrics.commandSteps.startTimer({ step });
  return {
    end() {
      observe?.();
      span?.end();
    },
  };
}

async function carryOutAlone(
  handling: CommandHandling,
  delivery: CommandDelivery,
  sequencer: Sequencer,
  trace: CommandTrace | undefined,
  command: ChatRequestsCommand,
  request: ChatRequest,
): Promise<ChatResult> {
  try {
    const [result] = await carryOut(handling, delivery, sequencer, trace, [request]);
    if (result === undefined) {
      throw new Error('a request has no result');
    }
    return result;
  } catch (error) {
    if (isTransient(error)) {
      throw error;
    }
    handling.logger.error({ err: error, ref: request.ref }, 'request became a dead letter');
    const part: ChatRequestsCommand = { ...command, requests: [request] };
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
  emitter: RoomEmitter,
  delivery: CommandDelivery,
  request: MessageRequest,
  { message, duplicate }: Sequenced,
): void {
  count(handling, request, duplicate ? 'duplicate' : 'stored');
  if (duplicate && !delivery.redelivered) {
    return;
  }
  emitter.toConversation(
    message.conversationId,
    'receive_message',
    message,
    handling.echoToSender ? {} : { exceptSocketId: request.socketId },
  );
}

function tell(
  handling: CommandHandling,
  command: ChatRequestsCommand,
  results: ChatResult[],
): void {
  const payload: ChatResults = { sentAt: Date.now(), results };
  handling.bus.publish(subjects.chatResults(command.gatewayId), payload);
}
