import type { ConversationId, Message, MessageId, UserId } from '@bambochat/protocol';

/** Who is in which conversation, by arithmetic: every process of a benchmark knows it by itself. */

export function conversationOf(index: number): ConversationId {
  return `01900000-0000-7000-8000-${index.toString(16).padStart(12, '0')}` as ConversationId;
}

export function memberOf(conversationIndex: number, member: number): UserId {
  return `bench-${conversationIndex}-${member}` as UserId;
}

/** @throws Error for a name that {@link memberOf} did not give */
export function conversationOfMember(userId: string): ConversationId {
  const index = /^bench-(\d+)-\d+$/.exec(userId)?.[1];
  if (index === undefined) {
    throw new Error(`${userId} has no part in this benchmark`);
  }
  return conversationOf(Number(index));
}

/** A message as message-service broadcasts it: the text has 100 characters, as chat has. */
export function messageIn(conversationId: ConversationId, seq: number): Message {
  return {
    _id: `01900000-0000-7000-9000-${seq.toString(16).padStart(12, '0')}` as MessageId,
    conversationId,
    seq,
    senderId: memberOf(0, 0),
    content: 'x'.repeat(100),
    clientMessageId: `client-message-${seq}` as Message['clientMessageId'],
    reactions: [],
    createdAt: new Date().toISOString(),
  };
}
