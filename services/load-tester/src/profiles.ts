import type { Kind } from './cast.ts';

export interface Profile {
  readonly name: string;
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second. */
  readonly rate: number;
  /** In the middle of the run every socket is cut, and comes back. */
  readonly storm: boolean;
  /** People also type, read, react, go and come back, in direct conversations and a big room too. */
  readonly mixed: boolean;
}

function profile(
  name: string,
  [sockets, conversations, members, rate]: readonly [number, number, number, number],
  { storm = false, mixed = false } = {},
): Profile {
  return { name, sockets, conversations, members, rate, storm, mixed };
}

/** By name. The numbers are defaults of the options. */
export const profiles: Readonly<Record<string, Profile>> = Object.fromEntries(
  [
    profile('idle', [1000, 0, 2, 0]),
    profile('direct', [1000, 500, 2, 200]),
    profile('group', [1000, 100, 10, 200]),
    profile('big-room', [1000, 1, 1000, 10]),
    profile('huge-room', [10_000, 1, 10_000, 1]),
    profile('reconnect-storm', [1000, 100, 10, 100], { storm: true }),
    profile('mixed-day', [1000, 100, 10, 100], { mixed: true }),
  ].map((one) => [one.name, one]),
);

/** The big room of a mixed day has so many at most. */
const BIG_ROOM_MAX = 1000;

/** Which conversations there are: those of the options, and on a mixed day two kinds more. */
export function kindsOf(options: {
  profile: Pick<Profile, 'mixed'>;
  sockets: number;
  conversations: number;
  members: number;
}): Kind[] {
  const { sockets, conversations, members } = options;
  if (!options.profile.mixed) {
    return [{ count: conversations, members, share: 1 }];
  }
  return [
    { count: Math.floor(sockets / 2), members: 2, share: 0.58 },
    { count: conversations, members, share: 0.4 },
    { count: 1, members: Math.min(sockets, BIG_ROOM_MAX), share: 0.02 },
  ];
}
