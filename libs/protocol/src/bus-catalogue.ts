import type { z } from 'zod';
import type { subjects } from './bus.ts';
import {
  chatResultsSchema,
  conversationOfAnswerSchema,
  conversationOfRequestSchema,
} from './command.ts';
import {
  activityAnswerSchema,
  activityRequestSchema,
  conversationsOfAnswerSchema,
  conversationsOfRequestSchema,
  friendEventSchema,
  headAnswerSchema,
  headRequestSchema,
  liveEventsLostSchema,
  membersChangedSchema,
  sessionEndedSchema,
} from './directory.ts';
import {
  presenceReportAnswerSchema,
  presenceReportSchema,
  snapshotsAnswerSchema,
  snapshotsRequestSchema,
  statusChangesSchema,
} from './presence.ts';

/*
 * What goes over each subject of the event bus. deploy/docs writes the AsyncAPI document from here;
 * no process that serves needs it.
 */

export type ServiceName =
  | 'socket-gateway'
  | 'message-service'
  | 'presence-service'
  | 'history-service'
  | 'directory-service';

export interface BusEntry {
  readonly description: string;
  readonly from: readonly ServiceName[];
  /** Of requests: who answers, as one queue group of that name. */
  readonly to: readonly ServiceName[];
  readonly payload: z.ZodType;
  /** Of requests; on the wire within `replySchema`. */
  readonly answer?: z.ZodType;
}

export const busCatalogue = {
  chatResults: {
    description: 'What became of each request of a command. To the one gateway that asked.',
    from: ['message-service'],
    to: ['socket-gateway'],
    payload: chatResultsSchema,
  },
  conversationOf: {
    description:
      'Where a message is; `NOT_FOUND` when there is none, or when the user is no member there.',
    from: ['socket-gateway'],
    to: ['message-service'],
    payload: conversationOfRequestSchema,
    answer: conversationOfAnswerSchema,
  },
  conversationsOf: {
    description: 'Every conversation of a user, and which of these login sessions have ended.',
    from: ['socket-gateway'],
    to: ['directory-service'],
    payload: conversationsOfRequestSchema,
    answer: conversationsOfAnswerSchema,
  },
  head: {
    description:
      'The `seq` of the newest message, 0 without any; `NOT_FOUND` for who is no member.',
    from: ['socket-gateway'],
    to: ['directory-service'],
    payload: headRequestSchema,
    answer: headAnswerSchema,
  },
  activity: {
    description: 'Of each conversation the newest message and when something else changed last.',
    from: ['socket-gateway'],
    to: ['directory-service'],
    payload: activityRequestSchema,
    answer: activityAnswerSchema,
  },
  membersChanged: {
    description: 'Users were added to a conversation or removed. To everyone who acts on it.',
    from: ['directory-service'],
    to: ['socket-gateway', 'message-service'],
    payload: membersChangedSchema,
  },
  sessionEnded: {
    description: 'The tokens of a login session are good no more. To all gateways.',
    from: ['directory-service'],
    to: ['socket-gateway'],
    payload: sessionEndedSchema,
  },
  liveEventsLost: {
    description: 'What was emitted into rooms has not reached the gateways. To all of them.',
    from: ['message-service'],
    to: ['socket-gateway'],
    payload: liveEventsLostSchema,
  },
  friendEvents: {
    description: 'An event for all sockets of one user. To all gateways.',
    from: ['directory-service'],
    to: ['socket-gateway'],
    payload: friendEventSchema,
  },
  presenceReport: {
    description: 'Heartbeat of a gateway, and what has changed on it. To any replica.',
    from: ['socket-gateway'],
    to: ['presence-service'],
    payload: presenceReportSchema,
    answer: presenceReportAnswerSchema,
  },
  presenceReportTo: {
    description: 'The same, to one replica: for a gateway that another one did not answer.',
    from: ['socket-gateway'],
    to: ['presence-service'],
    payload: presenceReportSchema,
    answer: presenceReportAnswerSchema,
  },
  presenceSnapshots: {
    description: 'Which friends of these users are online.',
    from: ['socket-gateway'],
    to: ['presence-service'],
    payload: snapshotsRequestSchema,
    answer: snapshotsAnswerSchema,
  },
  statusChangesFor: {
    description: 'Changes of statuses. To the one gateway where friends are connected.',
    from: ['presence-service'],
    to: ['socket-gateway'],
    payload: statusChangesSchema,
  },
  statusChanges: {
    description:
      'Changes of statuses, when it is not known or not asked where the friends are. To all gateways.',
    from: ['presence-service', 'directory-service'],
    to: ['socket-gateway'],
    payload: statusChangesSchema,
  },
} as const satisfies Record<keyof typeof subjects, BusEntry>;
