/** Names of the durable queue in NATS; the last token of a subject is the partition. */
export const commandSubjects = {
  stream: 'CHAT_COMMANDS',
  subject: 'chat.commands',
  deadLetterStream: 'CHAT_DEAD_LETTERS',
  deadLetterSubject: 'chat.dead-letters',
  /** Header of a dead letter: why it is one, in a line for operators. */
  deadLetterReason: 'Dead-Letter-Reason',
  /** Header of a command: W3C Trace Context of each of its requests, in order; `-` without one. */
  traceparent: 'traceparent',
} as const;
