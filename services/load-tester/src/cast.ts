import type { UserId } from '@bambochat/protocol';

/** Conversations of one size. */
export interface Kind {
  readonly count: number;
  readonly members: number;
  /** Of the messages, relative to the other kinds. */
  readonly share: number;
}

/** Who takes part in a run and in what, known to every process of it by arithmetic. */
export interface Cast {
  /** Before every user id: nobody else's. */
  readonly run: string;
  /** One user each. */
  readonly sockets: number;
  /** Conversations are numbered through all kinds. */
  readonly kinds: readonly Kind[];
}

export function userOf({ run }: Cast, index: number): UserId {
  return `${run}-${index}` as UserId;
}

export function conversationsIn({ kinds }: Cast): number {
  return kinds.reduce((sum, { count }) => sum + count, 0);
}

/** Which kind the conversation is of, and its number in it. */
function placeOf({ kinds }: Cast, conversation: number): { kind: number; number: number } {
  let number = conversation;
  const kind = kinds.findIndex(({ count }) => {
    number -= count;
    return number < 0;
  });
  return { kind, number: number + (kinds[kind]?.count ?? 0) };
}

export function kindOf(cast: Cast, conversation: number): number {
  return placeOf(cast, conversation).kind;
}

/** Indexes of users; the first one is the admin. */
export function membersOf(cast: Cast, conversation: number): number[] {
  const { kind, number } = placeOf(cast, conversation);
  const members = cast.kinds[kind]?.members ?? 0;
  return Array.from({ length: members }, (_, member) => (number * members + member) % cast.sockets);
}

/** Users 0 … this - 1 are in some conversation. */
export function peopleIn({ kinds, sockets }: Cast): number {
  return Math.min(sockets, Math.max(0, ...kinds.map(({ count, members }) => count * members)));
}
