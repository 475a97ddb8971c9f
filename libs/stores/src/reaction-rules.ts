import {
  REACTIONS_PER_MESSAGE_MAX,
  type Reaction,
  type ReactionType,
  type UserId,
} from '@bambochat/protocol';

/** What a message keeps of one user who reacted to it. */
export interface Reactor {
  userId: UserId;
  /** Null: took it back. */
  type: ReactionType | null;
  /** The last requests, so that a repeated one is known; the newest last. */
  requests: string[];
}

export interface ReactionStep {
  userId: UserId;
  type: ReactionType;
  requestId: string;
}

/** Requests remembered of each user and message. */
export const REQUESTS_REMEMBERED = 8;

/**
 * Toggles: the same type again takes the reaction back, another one replaces it. Who changed last is
 * last. `next` is absent when the request was done before; 'full' when too many users react.
 *
 * Users who took theirs back are remembered as long as there is room.
 */
export function toggleReaction(
  reactors: readonly Reactor[],
  { userId, type, requestId }: ReactionStep,
): { next?: Reactor[] } | 'full' {
  const own = reactors.find((reactor) => reactor.userId === userId);
  if (own?.requests.includes(requestId) === true) {
    return {};
  }
  const others = reactors.filter((reactor) => reactor !== own);
  if (others.length >= REACTIONS_PER_MESSAGE_MAX) {
    const forgettable = others.findIndex((reactor) => reactor.type === null);
    if (forgettable < 0) {
      return 'full';
    }
    others.splice(forgettable, 1);
  }
  const requests = [...(own?.requests ?? []), requestId].slice(-REQUESTS_REMEMBERED);
  return { next: [...others, { userId, type: own?.type === type ? null : type, requests }] };
}

/** What everybody may see of it. */
export function reactionsOf(reactors: readonly Reactor[]): Reaction[] {
  return reactors.flatMap(({ userId, type }) => (type === null ? [] : [{ userId, type }]));
}
