import type { Conversation, UserId } from '@bambochat/protocol';
import {
  type ConversationStores,
  describeConversations,
  lastActivity,
  outlineConversations,
} from './describe-conversations.ts';

/** More participants than this are not listed here, so that the list stays a list. */
const PARTICIPANTS_LISTED = 200;

/** Latest activity first. */
export async function listConversations(
  deps: ConversationStores & { conversationsPerUser: number },
  userId: UserId,
  { limit, offset }: { limit: number; offset: number },
): Promise<Conversation[]> {
  const memberships = await deps.directoryStore.membershipsOf(userId, deps.conversationsPerUser);
  const outlines = await outlineConversations(deps, memberships);
  const sorted = outlines
    .map((outline) => ({ outline, activity: lastActivity(outline), id: outline.record._id }))
    .sort((a, b) => compare(b.activity, a.activity) || compare(b.id, a.id))
    .map(({ outline }) => outline);
  return describeConversations(deps, sorted.slice(offset, offset + limit), PARTICIPANTS_LISTED);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
