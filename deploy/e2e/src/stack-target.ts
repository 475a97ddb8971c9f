import { randomBytes } from 'node:crypto';
import type { Backends } from '@bambochat/testing';
import { startBackends, waitFor } from '@bambochat/testing';
import { type Program, startProgram } from './program.ts';
import { raisedLimits } from './raised-limits.ts';
import { presenceDefaults, type Target } from './target.ts';

/** One process as the ready line lists it. */
export interface Member {
  readonly url: string;
  readonly pid: number;
}

export const memberKinds = {
  gateways: 'socket-gateway',
  messageServices: 'message-service',
  historyServices: 'history-service',
  directoryServices: 'directory-service',
  presenceServices: 'presence-service',
  webServices: 'web',
} as const;
export type MemberKind = keyof typeof memberKinds;

/** The distributed system, with what a case needs to break it. */
export interface StackTarget extends Target {
  readonly program: Program;
  /** Members as they are now: one that was killed and started again is another. */
  readonly gateways: readonly Member[];
  readonly messageServices: readonly Member[];
  readonly presenceServices: readonly Member[];
  /** Members of one kind as they are now. */
  membersOf(kind: MemberKind): readonly Member[];
  /** All that were listed when the stack was ready. */
  readonly members: readonly Member[];
  readonly backends: Backends;
  /** Waits until the place of a member that was killed is filled again; with `restart` only. */
  awaitSuccessor(kind: MemberKind, old: Member): Promise<void>;
}

export interface StackOptions {
  /** How many of each; the others are there once. */
  readonly gateways?: number;
  readonly messageServices?: number;
  readonly presenceServices?: number;
  /** Start services that died again. Default: they stay down. */
  readonly restart?: boolean;
  /** Variables of all services. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds; default: what a deployment does that was told nothing. */
  readonly presence?: { readonly lease: number; readonly grace: number };
}

/** `npm run stack` on real back ends of its own. */
export async function startStack(options: StackOptions = {}): Promise<StackTarget> {
  const backends = await startBackends({ own: true });
  try {
    return await startStackOn(backends, options, () => backends.stop());
  } catch (error) {
    await backends.stop();
    throw error;
  }
}

/** `npm run stack` on back ends that are there. @param afterStop runs once the stack is gone */
export async function startStackOn(
  backends: Backends,
  options: StackOptions = {},
  afterStop: () => Promise<void> = async () => {},
): Promise<StackTarget> {
  const { gateways = 2, messageServices = 2, presenceServices = 2 } = options;
  const presence = options.presence ?? presenceDefaults;
  const tokenSecret = randomBytes(48).toString('base64url');
  const program = await startProgram(
    'deploy/stack/src/main.ts',
    [
      ['--gateways', String(gateways)],
      ['--message-services', String(messageServices)],
      ['--presence-services', String(presenceServices)],
      ['--history-services', '1'],
      ['--port', '0'],
      ['--json'],
      options.restart ? ['--restart'] : [],
    ].flat(),
    {
      ...raisedLimits,
      ...options.env,
      ...(options.presence === undefined
        ? {}
        : { PRESENCE_LEASE: String(presence.lease), PRESENCE_GRACE: String(presence.grace) }),
      JWT_SECRET: tokenSecret,
      MONGODB_URL: backends.mongodb.url,
      REDIS_URL: backends.redis.url,
      NATS_URL: backends.nats.url,
    },
  );
  const listed = (kind: MemberKind) => program.ready[kind] as Member[];
  const edge = (program.ready.edge as { url: string }).url;

  function current(kind: MemberKind): Member[] {
    const places = listed(kind);
    const started = program.output.entries('service ready');
    return places.map((place, index) => {
      const instance = `${memberKinds[kind]}-${index + 1}`;
      const latest = started.findLast((entry) => entry.instance === instance);
      return latest === undefined ? place : { url: String(latest.url), pid: Number(latest.pid) };
    });
  }

  return {
    name: `stack at ${edge}`,
    restUrl: edge,
    get gatewayUrls() {
      return atLeastOne(urlsOf(current('gateways')));
    },
    get socketUrls() {
      return [...urlsOf(current('gateways')), edge];
    },
    restServiceUrls: urlsOf([...listed('historyServices'), ...listed('directoryServices')]),
    get operationsUrls() {
      return urlsOf((Object.keys(memberKinds) as MemberKind[]).flatMap(current));
    },
    tokenSecret,
    presence,
    outputs: [program.output],
    program,
    get gateways() {
      return current('gateways');
    },
    get messageServices() {
      return current('messageServices');
    },
    get presenceServices() {
      return current('presenceServices');
    },
    membersOf: current,
    members: (Object.keys(memberKinds) as MemberKind[]).flatMap(listed),
    backends,
    async awaitSuccessor(kind, old) {
      await waitFor(() => current(kind).every(({ pid }) => pid !== old.pid), {
        timeout: 60_000,
        describe: `a successor of a killed member of ${kind}`,
      });
    },
    async [Symbol.asyncDispose]() {
      await program.stop();
      await afterStop();
    },
  };
}

function urlsOf(list: readonly Member[]): string[] {
  return list.map(({ url }) => url);
}

function atLeastOne([first, ...others]: string[]): readonly [string, ...string[]] {
  if (first === undefined) {
    throw new Error('The stack lists no gateway');
  }
  return [first, ...others];
}
