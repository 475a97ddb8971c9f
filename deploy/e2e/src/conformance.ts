import { describeAccounts } from './accounts.conformance.ts';
import { describeBadInput } from './bad-input.conformance.ts';
import { describeBadRequests } from './bad-requests.conformance.ts';
import { describeBlocks } from './blocks.conformance.ts';
import { describeConversations } from './conversations.conformance.ts';
import { describeFriendRaces } from './friend-races.conformance.ts';
import { describeFriends } from './friends.conformance.ts';
import { describeFriendsPresence } from './friends-presence.conformance.ts';
import { describeFuzzing } from './fuzz.conformance.ts';
import { describeHandshake } from './handshake.conformance.ts';
import { describeHistory } from './history.conformance.ts';
import { describeLogs } from './logs.conformance.ts';
import { describeMainStory } from './main-story.conformance.ts';
import { describeMembership } from './membership.conformance.ts';
import { describeMessaging } from './messaging.conformance.ts';
import { describeOnlyMembers } from './only-members.conformance.ts';
import { describeOperations } from './operations.conformance.ts';
import { describeOrdering } from './ordering.conformance.ts';
import { describePresence } from './presence.conformance.ts';
import { describeRetries } from './retries.conformance.ts';
import { describeRooms } from './rooms.conformance.ts';
import type { Target } from './target.ts';
import { describeTyping } from './typing.conformance.ts';

/** Everything that PROTOCOL.md promises of any deployment, as tests of the calling file. */
export function conformance(target: () => Target): void {
  describeMainStory(target);
  describeHandshake(target);
  describeMessaging(target);
  describeRooms(target);
  describeOnlyMembers(target);
  describeConversations(target);
  describeMembership(target);
  describeHistory(target);
  describeOrdering(target);
  describeRetries(target);
  describeTyping(target);
  describeFriends(target);
  describeFriendRaces(target);
  describeBlocks(target);
  describePresence(target);
  describeFriendsPresence(target);
  describeAccounts(target);
  describeOperations(target);
  describeBadInput(target);
  describeBadRequests(target);
  describeFuzzing(target);
  describeLogs(target);
}
