import type { Membership } from './directory-store.ts';
import type { HeadPosition } from './message-store.ts';

/**
 * How many messages the member has not read, by `seq` and never by counting. Who wrote the last
 * message has read what came before it.
 */
export function unreadOf(
  { userId, readSeq }: Pick<Membership, 'userId' | 'readSeq'>,
  head: HeadPosition | undefined,
): number {
  if (head === undefined || head.senderId === userId) {
    return 0;
  }
  return Math.max(0, head.lastSeq - readSeq);
}
