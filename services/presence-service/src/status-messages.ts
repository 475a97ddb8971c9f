import { type GatewayId, type StatusChange, subjects, type UserId } from '@bambochat/protocol';
import type { UserStatus } from '@bambochat/stores';

/** Users that one change names: about 110 KB. */
const USERS_PER_CHANGE = 2000;
/** Bytes of a message; a broker takes 1 MB. */
const MESSAGE_BYTES = 256 * 1024;

export interface News {
  status: UserStatus;
  /** Friends to be told. */
  friends: readonly UserId[];
}

export interface StatusMessage {
  subject: string;
  changes: StatusChange[];
}

/**
 * The messages that bring news to friends: for every gateway those who are connected there, or all
 * to all gateways when it is not known where anybody is.
 */
export function statusMessages(
  news: readonly News[],
  located: ReadonlyMap<GatewayId, readonly UserId[]> | null,
): StatusMessage[] {
  const gatewaysOf = located === null ? null : invert(located);
  const changes = new Map<string, StatusChange[]>();
  for (const { status, friends } of news) {
    for (const [subject, to] of receivers(friends, gatewaysOf)) {
      const list = changes.get(subject) ?? [];
      changes.set(subject, list);
      for (let from = 0; from < to.length; from += USERS_PER_CHANGE) {
        list.push({ kind: 'change', ...status, to: to.slice(from, from + USERS_PER_CHANGE) });
      }
    }
  }
  return [...changes].flatMap(([subject, list]) => packed(subject, list));
}

function invert(located: ReadonlyMap<GatewayId, readonly UserId[]>): Map<UserId, GatewayId[]> {
  const gatewaysOf = new Map<UserId, GatewayId[]>();
  for (const [gatewayId, userIds] of located) {
    for (const userId of userIds) {
      const gateways = gatewaysOf.get(userId);
      if (gateways === undefined) {
        gatewaysOf.set(userId, [gatewayId]);
      } else {
        gateways.push(gatewayId);
      }
    }
  }
  return gatewaysOf;
}

/** Who is told by which subject. */
function receivers(
  friends: readonly UserId[],
  gatewaysOf: ReadonlyMap<UserId, readonly GatewayId[]> | null,
): Map<string, UserId[]> {
  if (gatewaysOf === null) {
    return friends.length === 0 ? new Map() : new Map([[subjects.statusChanges, [...friends]]]);
  }
  const bySubject = new Map<string, UserId[]>();
  for (const friend of friends) {
    for (const gatewayId of gatewaysOf.get(friend) ?? []) {
      const subject = subjects.statusChangesFor(gatewayId);
      const to = bySubject.get(subject) ?? [];
      bySubject.set(subject, to);
      to.push(friend);
    }
  }
  return bySubject;
}

function packed(subject: string, changes: readonly StatusChange[]): StatusMessage[] {
  const messages: StatusMessage[] = [];
  let room = 0;
  for (const change of changes) {
    // Ids are ASCII: characters are bytes.
    const bytes = JSON.stringify(change).length + 1;
    const message = messages.at(-1);
    if (message === undefined || bytes > room) {
      messages.push({ subject, changes: [change] });
      room = MESSAGE_BYTES - bytes;
    } else {
      message.changes.push(change);
      room -= bytes;
    }
  }
  return messages;
}
