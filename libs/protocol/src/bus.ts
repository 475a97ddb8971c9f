import type { GatewayId } from './ids.ts';

/** Subjects of the event bus. Names that a pod or a client chooses never become part of one. */
export const subjects = {
  /** {@link MessageResults}, to the one gateway that sent the command. */
  messageResults: (gatewayId: GatewayId) => `chat.results.${gatewayId}`,
  conversationsOf: 'directory.conversations-of',
  head: 'directory.head',
  membersChanged: 'directory.members-changed',
} as const;
