import type { EventBus } from '@bambochat/messaging';
import {
  AppError,
  type ConversationId,
  type ConversationOfRequest,
  conversationOfAnswerSchema,
  sendReactionSchema,
  subjects,
} from '@bambochat/protocol';
import { uuidv7 } from 'uuidv7';
import type { ChatSocket } from './chat-socket.ts';
import type { EventDefinition } from './handle-event.ts';
import type { SubmitRequest } from './submit-request.ts';

/** Questions to the message-service that may be open at a time. */
const QUESTIONS_MAX = 1000;

/**
 * A reaction names only a message; the conversation, and with it the partition, is asked for first.
 * Questions of one socket are asked at once and followed up in the order of the emits: toggling has
 * an order.
 */
export function sendReaction(options: {
  bus: EventBus;
  submit: SubmitRequest;
}): EventDefinition<typeof sendReactionSchema> {
  const { bus, submit } = options;
  /** Of each socket, settled when the last reaction has been handed on, or refused. */
  const tails = new WeakMap<ChatSocket, Promise<unknown>>();
  let questions = 0;

  async function conversationOf(request: ConversationOfRequest): Promise<ConversationId> {
    questions += 1;
    try {
      const answer = await bus.request(subjects.conversationOf, request);
      return conversationOfAnswerSchema.parse(answer).conversationId;
    } finally {
      questions -= 1;
    }
  }

  return {
    event: 'send_reaction',
    schema: sendReactionSchema,
    rate: 'request',
    async handle(socket, { messageId, reactionType }, answer) {
      if (questions >= QUESTIONS_MAX) {
        throw new AppError('OVERLOADED', 'Too many reactions are waiting, try again later');
      }
      const { userId } = socket.data;
      const previous = tails.get(socket);
      const question = conversationOf({ messageId, userId });
      const turn = Promise.allSettled([previous, question]).then(async () => {
        const conversationId = await question;
        const requestId = uuidv7();
        submit(
          socket,
          { kind: 'reaction', conversationId, messageId, userId, reactionType, requestId },
          answer,
          (result) => {
            if ('reactions' in result) {
              answer.succeed({ reactions: result.reactions });
            } else {
              answer.fail(new Error('The result of a reaction holds none'));
            }
          },
        );
      });
      tails.set(socket, turn);
      await turn;
    },
  };
}
