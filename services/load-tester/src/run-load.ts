import { randomBytes } from 'node:crypto';
import { Latency, type LatencySummary } from './latency.ts';
import type { LoadOptions } from './options.ts';
import {
  type Cast,
  createTokens,
  openConversations,
  readHistory,
  register,
  type Stored,
} from './people.ts';
import { type ServerFigures, watchServers } from './watch-servers.ts';
import type { Checked, Opened, Second } from './worker-protocol.ts';
import { Workers } from './workers.ts';

export interface LoadResult {
  readonly profile: string;
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second that were meant to be sent. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
  readonly connectsPerSecond: number;
  readonly sent: number;
  readonly confirmed: number;
  readonly unanswered: number;
  readonly skipped: number;
  readonly refused: Readonly<Record<string, number>>;
  /** As the history says. */
  readonly stored: number;
  /** Confirmed, and not in the history. */
  readonly confirmedNotStored: number;
  /** In the histories that were read: the same message again, and a `seq` that is not the next. */
  readonly storedTwice: number;
  readonly holes: number;
  readonly expected: number;
  readonly delivered: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly socketsLost: number;
  /** Milliseconds; null: there was no storm. */
  readonly stormOver: number | null;
  readonly connect: LatencySummary;
  /** From when a message was due to its confirmation. */
  readonly confirm: LatencySummary;
  /** From when a message was due to each receiver. */
  readonly delivery: LatencySummary;
  /** Milliseconds; more than {@link BEHIND_MAX}: this machine was too busy, latencies are too long. */
  readonly behind: number;
  /** Seconds of CPU time of the load tester. */
  readonly ownCpu: number;
  /** Of the processes that were named; null: none were. */
  readonly servers: ServerFigures | null;
  /** Percentiles of delivery: `[percent, milliseconds]`. */
  readonly distribution: readonly (readonly [number, number])[];
  readonly seconds: readonly Second[];
}

/** Milliseconds. */
export const BEHIND_MAX = 100;
/** Milliseconds from the order to the first message, for all processes. */
const HEAD_START = 500;

/** Whether what was promised has been kept. */
export function holds(result: LoadResult): boolean {
  const { lost, duplicated, reordered, confirmedNotStored, storedTwice, holes } = result;
  return lost + duplicated + reordered + confirmedNotStored + storedTwice + holes === 0;
}

/**
 * One run: accounts and conversations, sockets, messages, and what became of them.
 *
 * @throws Error when it cannot be carried out
 */
export async function runLoad(
  options: LoadOptions,
  note: (line: string) => void,
): Promise<LoadResult> {
  const { targets, rest, secret, processes, conversations, members, sockets } = options;
  const cast: Cast = { run: `load-${randomBytes(5).toString('hex')}`, sockets, members };
  const tokens = createTokens(rest, secret);
  const people = secret === null ? sockets : Math.min(sockets, conversations * members);
  if (people > 0) {
    note(`opening ${people} accounts and ${conversations} conversations`);
  }
  await register(cast, rest, people);
  const ids = await openConversations(cast, rest, tokens, conversations);

  const progress = createProgress(processes, note);
  using workers = new Workers(processes, progress);
  note(`opening ${sockets} sockets`);
  const opened = await workers.order(
    (worker) => ({
      kind: 'open',
      cast,
      targets,
      rest,
      secret,
      ids,
      worker,
      workers: processes,
      ramp: options.ramp / processes,
    }),
    'opened',
  );
  const failures = opened.flatMap((one) => one.failures);
  if (failures.length > 0) {
    throw new Error(`Sockets could not be opened: ${failures.slice(0, 5).join('; ')}`);
  }

  const senders = opened.reduce((sum, one) => sum + one.senders, 0);
  note(`running for ${options.duration} s`);
  await using servers = await watchServers(options.serverPids);
  const from = performance.timeOrigin + performance.now() + HEAD_START;
  await workers.order(
    () => ({
      kind: 'send',
      from,
      duration: options.duration * 1000,
      rate: options.rate,
      senders,
      storm: options.profile.storm,
    }),
    'settled',
  );
  const figures = await servers.figures();
  const stored = await readHistory(cast, rest, tokens, ids);
  const checked = await workers.order(
    () => ({ kind: 'check', stored: stored.lastSeqs }),
    'checked',
  );
  return {
    profile: options.profile.name,
    sockets,
    conversations,
    members,
    rate: options.rate,
    duration: options.duration,
    ...merge(opened, checked, stored),
    servers: figures,
  };
}

/** Of the plot of a distribution. */
const PERCENTS = [1, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 100];

function merge(opened: readonly Opened[], checked: readonly Checked[], stored: Stored) {
  const sum = (one: (report: Checked) => number) =>
    checked.reduce((total, report) => total + one(report), 0);
  const latency = (encoded: readonly string[]) => {
    const all = new Latency();
    for (const one of encoded) {
      all.add(one);
    }
    return all;
  };
  const delivery = latency(checked.map((one) => one.delivery));
  const refused: Record<string, number> = {};
  for (const [code, count] of checked.flatMap((report) => Object.entries(report.refused))) {
    refused[code] = (refused[code] ?? 0) + count;
  }
  const storms = checked.flatMap(({ stormOver }) => stormOver ?? []);
  return {
    connectsPerSecond: opened.reduce((all, { sockets, seconds }) => all + sockets / seconds, 0),
    sent: sum(({ sent }) => sent),
    confirmed: sum(({ confirmed }) => confirmed),
    unanswered: sum(({ unanswered }) => unanswered),
    skipped: sum(({ skipped }) => skipped),
    refused,
    stored: stored.lastSeqs.reduce((total, count) => total + count, 0),
    confirmedNotStored: confirmedNotStored(checked, stored.lastSeqs),
    storedTwice: stored.twice,
    holes: stored.holes,
    expected: sum(({ expected }) => expected),
    delivered: sum(({ delivered }) => delivered),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    reordered: sum(({ reordered }) => reordered),
    socketsLost: sum(({ socketsLost }) => socketsLost),
    stormOver: storms.length === 0 ? null : Math.max(...storms),
    connect: latency(opened.map((one) => one.connect)).summary(),
    confirm: latency(checked.map((one) => one.confirm)).summary(),
    delivery: delivery.summary(),
    distribution: PERCENTS.map((percent) => [percent, delivery.percentile(percent)] as const),
    behind: Math.max(...checked.map(({ behind }) => behind)),
    ownCpu: sum(({ cpu }) => cpu),
    seconds: mergeSeconds(checked),
  };
}

/** Each confirmed `seq` is one of 1 … stored, and nobody else's. */
export function confirmedNotStored(
  checked: readonly Pick<Checked, 'confirmedSeqs'>[],
  stored: readonly number[],
): number {
  const seqs = new Map<number, Set<number>>();
  let missing = 0;
  for (const [conversation, all] of checked.flatMap(({ confirmedSeqs }) => confirmedSeqs)) {
    const known = seqs.get(conversation) ?? new Set();
    seqs.set(conversation, known);
    for (const seq of all) {
      missing += Number(seq < 1 || seq > (stored[conversation] ?? 0) || known.has(seq));
      known.add(seq);
    }
  }
  return missing;
}

function mergeSeconds(checked: readonly Checked[]): Second[] {
  const length = Math.max(...checked.map(({ seconds }) => seconds.length));
  return Array.from({ length }, (_, index) => {
    const all = checked.flatMap(({ seconds }) => seconds[index] ?? []);
    const sum = (name: keyof Second) => all.reduce((total, second) => total + second[name], 0);
    const most = (name: keyof Second) => Math.max(0, ...all.map((second) => second[name]));
    return {
      sent: sum('sent'),
      confirmed: sum('confirmed'),
      delivered: sum('delivered'),
      confirmP99: most('confirmP99'),
      deliveryP99: most('deliveryP99'),
    };
  });
}

/** One line for each second in which every worker has said something. */
function createProgress(processes: number, note: (line: string) => void) {
  const latest = new Map<number, { open: number; second: Second }>();
  return (worker: number, report: { open: number; second: Second }) => {
    latest.set(worker, report);
    if (latest.size === processes) {
      const all = [...latest.values()];
      latest.clear();
      const sum = (of: (one: { open: number; second: Second }) => number) =>
        all.reduce((total, one) => total + of(one), 0);
      note(
        `${sum(({ open }) => open)} open, sent ${sum(({ second }) => second.sent)}/s, confirmed ${sum(({ second }) => second.confirmed)}/s, delivered ${sum(({ second }) => second.delivered)}/s`,
      );
    }
  };
}
