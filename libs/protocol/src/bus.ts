import type { GatewayId, PresenceReplicaId } from './ids.ts';

/** Subjects of the event bus. Names that a pod or a client chooses never become part of one. */
export const subjects = {
  /** {@link ChatResults}, to the one gateway that sent the command. */
  chatResults: (gatewayId: GatewayId) => `chat.results.${gatewayId}`,
  /** Request: {@link ConversationOfRequest}. Answer: {@link ConversationOfAnswer}. */
  conversationOf: 'messages.conversation-of',
  conversationsOf: 'directory.conversations-of',
  head: 'directory.head',
  /** Request: {@link ActivityRequest}. Answer: {@link ActivityAnswer}. */
  activity: 'directory.activity',
  membersChanged: 'directory.members-changed',
  /** {@link SessionEnded}, to all gateways. */
  sessionEnded: 'directory.session-ended',
  /** {@link LiveEventsLost}, to all gateways: what was emitted into rooms has not reached them. */
  liveEventsLost: 'messages.live-events-lost',
  /** {@link FriendEvent}, to all gateways. */
  friendEvents: 'directory.friend-events',
  /** Request: {@link PresenceReport} of a gateway. Answer: {@link PresenceReportAnswer}. */
  presenceReport: 'presence.report',
  /** The same, to one replica: for a gateway that was not answered by another one. */
  presenceReportTo: (replicaId: PresenceReplicaId) => `presence.report.${replicaId}`,
  /** Request: {@link SnapshotsRequest}. Answer: {@link SnapshotsAnswer}. */
  presenceSnapshots: 'presence.snapshots',
  /** {@link StatusChanges}, to the one gateway where friends are connected. */
  statusChangesFor: (gatewayId: GatewayId) => `presence.changes.${gatewayId}`,
  /** {@link StatusChanges}, to all gateways: where the friends are is not known, or not asked. */
  statusChanges: 'presence.changes',
} as const;
