import type { CommandBatcher } from '@bambochat/messaging';
import {
  AppError,
  type ChatRequest,
  type MessageRequest,
  type ReactionRequest,
  type ReadRequest,
  toWireError,
} from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { ChatSocket } from './chat-socket.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { Answer } from './handle-event.ts';
import type { RequestTracing } from './trace-requests.ts';
import type { Success, UnconfirmedMessages } from './unconfirmed-messages.ts';

/** A request before it has a name. */
export type Unnamed =
  | Omit<MessageRequest, 'ref'>
  | Omit<ReadRequest, 'ref'>
  | Omit<ReactionRequest, 'ref'>;

/**
 * Hands a request to the command log and answers when its result comes. Requests of one socket to
 * one conversation keep their order, whatever their kind.
 *
 * @throws AppError `OVERLOADED` when too many wait
 */
export type SubmitRequest = (
  socket: ChatSocket,
  request: Unnamed,
  answer: Answer,
  succeed: (result: Success) => void,
) => void;

/** One for all: past what can be done, a stack trace for each refusal is what there is no time for. */
const overloaded = new AppError('OVERLOADED', 'Too many messages are waiting, try again later');

export function createSubmitter(options: {
  batcher: CommandBatcher<ChatRequest>;
  unconfirmed: UnconfirmedMessages;
  /** Undefined: nothing is traced. */
  tracing: RequestTracing | undefined;
  metrics: Pick<GatewayMetrics, 'acceptDuration'>;
  logger: Logger;
}): SubmitRequest {
  const { batcher, unconfirmed, tracing, metrics } = options;
  let count = 0;

  return (socket, unnamed, answer, succeed) => {
    if (unconfirmed.full) {
      throw overloaded;
    }
    count += 1;
    const request: ChatRequest = { ...unnamed, ref: count.toString(36) };
    unconfirmed.add({
      socket,
      request,
      confirm: succeed,
      fail(error) {
        answer.fail(new AppError(error.code, error.message));
      },
      span: tracing?.begin(request),
    });
    const observe = metrics.acceptDuration.startTimer();
    const accepted = batcher.submit(request.conversationId, request);
    accepted.then(
      () => observe(),
      (error: unknown) => {
        if (!(error instanceof AppError)) {
          options.logger.error({ err: error }, 'command log refused a request');
        }
        unconfirmed.fail(request.ref, toWireError(error));
      },
    );
    tracing?.appending(request, accepted);
  };
}
