export interface Profile {
  readonly name: string;
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second. */
  readonly rate: number;
  /** In the middle of the run every socket is cut, and comes back. */
  readonly storm: boolean;
}

function profile(
  name: string,
  [sockets, conversations, members, rate]: readonly [number, number, number, number],
  storm = false,
): Profile {
  return { name, sockets, conversations, members, rate, storm };
}

/** By name. The numbers are defaults of the options. */
export const profiles: Readonly<Record<string, Profile>> = Object.fromEntries(
  [
    profile('idle', [1000, 0, 2, 0]),
    profile('direct', [1000, 500, 2, 200]),
    profile('group', [1000, 100, 10, 200]),
    profile('big-room', [1000, 1, 1000, 10]),
    profile('huge-room', [10_000, 1, 10_000, 1]),
    profile('reconnect-storm', [1000, 100, 10, 100], true),
  ].map((one) => [one.name, one]),
);
