import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Cast, conversationsIn, peopleIn } from './cast.ts';
import { Coordinator } from './coordinator.ts';
import { Latency, type LatencySummary } from './latency.ts';
import {
  confirmedNotStored,
  type Figures,
  MergedTally,
  mergeDays,
  mergeTallies,
} from './merge-results.ts';
import type { LoadOptions } from './options.ts';
import { createTokens, openConversations, register } from './people.ts';
import { kindsOf } from './profiles.ts';
import type { ProgressDisplay } from './progress-display.ts';
import { readHistory, readLastSeqs, type Stored } from './read-history.ts';
import { startWorkers } from './start-workers.ts';
import { type ServerFigures, type ServerSample, watchServers } from './watch-servers.ts';
import type { Checked, DayFigures, Opened, Progress, Step } from './worker-protocol.ts';

export interface StepFigures extends Figures {
  /** Messages a second that were meant to be sent. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
  /** Milliseconds; more than {@link BEHIND_MAX}: the load tester was too busy, latencies are too long. */
  readonly behind: number;
  /** Cores that the servers used; null: they were not looked at. */
  readonly cpu: number | null;
}

export interface LoadResult extends Figures {
  readonly profile: string;
  readonly targets: readonly string[];
  readonly sockets: number;
  readonly conversations: number;
  readonly members: number;
  /** Messages a second that were meant to be sent, in the first step. */
  readonly rate: number;
  /** Seconds, all steps together. */
  readonly duration: number;
  readonly workers: number;
  /** Milliseconds by which the clocks of the workers may differ after they were compared. */
  readonly clockUncertainty: number;
  readonly connectsPerSecond: number;
  readonly unanswered: number;
  readonly skipped: number;
  /** As the history says. */
  readonly stored: number;
  /** Confirmed, and not in the history. */
  readonly confirmedNotStored: number;
  /** In the histories that were read: the same message again, and a `seq` that is not the next. */
  readonly storedTwice: number;
  readonly holes: number;
  readonly reactionsNotStored: number;
  readonly expected: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Delivered to who is no member. */
  readonly strays: number;
  readonly socketsLost: number;
  /** Milliseconds; null: there was no storm. */
  readonly stormOver: number | null;
  /** What people did beside sending; null: it was no mixed day. */
  readonly day: DayFigures | null;
  readonly connect: LatencySummary;
  /** Seconds of CPU time of each server while sockets were opened, in the order of `servers`. */
  readonly connectCpu: readonly number[];
  readonly behind: number;
  /** Seconds of CPU time of the workers. */
  readonly ownCpu: number;
  /** Of the processes that were named; null: none were. */
  readonly servers: ServerFigures | null;
  /** `[percent, milliseconds]`. */
  readonly distribution: {
    readonly confirm: readonly (readonly [number, number])[];
    readonly delivery: readonly (readonly [number, number])[];
  };
  readonly steps: readonly StepFigures[];
  readonly seconds: readonly Figures[];
}

/** Milliseconds. */
export const BEHIND_MAX = 100;
/** Milliseconds from the order to the first message, for all workers. */
const HEAD_START = 1000;
/** Milliseconds for the workers of this machine to end by themselves. */
const END_WITHIN = 2000;
/** Of the plot of a distribution. */
const PERCENTS = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.999, 100];

/** Whether what was promised has been kept. */
export function holds(result: LoadResult): boolean {
  const { lost, duplicated, reordered, strays } = result;
  const { storedTwice, holes, reactionsNotStored } = result;
  const stored = result.confirmedNotStored + storedTwice + holes + reactionsNotStored;
  return lost + duplicated + reordered + strays + stored + (result.day?.wrong ?? 0) === 0;
}

/**
 * One run: accounts and conversations, sockets, messages, and what became of them. This process
 * coordinates; the workers of `options.workers` that are not of this machine come by themselves.
 *
 * @throws WorkerLostError when a worker is gone before the end
 * @throws Error when the run cannot be carried out
 */
export async function runLoad(options: LoadOptions, display: ProgressDisplay): Promise<LoadResult> {
  const { rest, secret, sockets, steps } = options;
  const run = `load-${randomBytes(5).toString('hex')}`;
  const cast: Cast = { run, sockets, kinds: kindsOf(options) };
  const tokens = createTokens(rest, secret);
  const seconds: MergedTally[] = [];
  const onProgress = display.follow(options.workers, steps);
  await using servers = await watchServers(options.servers);
  await using coordinator = await Coordinator.listen({
    ...options.meeting,
    workers: options.workers,
    onProgress(worker: number, progress: Progress) {
      onProgress(worker, progress);
      if (progress.second !== null && progress.tally !== null) {
        seconds[progress.second] ??= new MergedTally();
        seconds[progress.second]?.add(progress.tally);
      }
    },
  });
  using ownWorkers = startWorkers(
    options.processes,
    { meeting: { ...options.meeting, coordinator: `127.0.0.1:${coordinator.port}` }, secret },
    (what) => coordinator.processEnded(what),
  );
  if (options.workers > options.processes) {
    display.phase(`waiting for ${options.workers} workers on port ${coordinator.port}`);
  }
  const clockUncertainty = await coordinator.joined();

  const people = secret === null ? sockets : peopleIn(cast);
  if (people > 0) {
    display.phase(`opening ${people} accounts and ${conversationsIn(cast)} conversations`);
  }
  await register(cast, rest, people);
  const ids = await openConversations(cast, rest, tokens);

  display.phase(`opening ${sockets} sockets`);
  const before = await servers.cpu();
  const opened = await coordinator.order(
    (worker) => ({
      kind: 'open',
      cast,
      targets: options.targets,
      rest,
      sourceAddresses: options.sourceAddresses,
      ids,
      worker,
      workers: options.workers,
      connectRate: options.connectRate / options.workers,
      clockOffset: coordinator.clockOffset(worker),
    }),
    'opened',
  );
  const failures = opened.flatMap((one) => one.failures);
  if (failures.length > 0) {
    throw new Error(`Sockets could not be opened: ${failures.slice(0, 5).join('; ')}`);
  }

  const after = await servers.cpu();
  const connectCpu = after.map((cpu, index) => cpu - (before[index] ?? 0));
  const duration = steps.reduce((sum, step) => sum + step.duration, 0) / 1000;
  display.phase(`running for ${duration} s`);
  const from = performance.timeOrigin + performance.now() + HEAD_START;
  const { storm, mixed } = options.profile;
  const senders = opened.reduce((sum, one) => sum + one.senders, 0);
  const watching = setTimeout(() => void servers.begin(), HEAD_START);
  const settled = await coordinator.order(
    () => ({ kind: 'send', from, steps, senders, storm, mixed }),
    'settled',
  );
  clearTimeout(watching);
  const figures = await servers.figures();
  display.phase('reading the history');
  const reactions = settled.flatMap((one) => one.reactions);
  const stored = await readHistory(cast, { rest, tokens, ids, reactions });
  const checked = await coordinator.order(
    () => ({ kind: 'check', stored: stored.lastSeqs }),
    'checked',
  );
  // What was confirmed after the history was read, in a run that did not come to rest, is stored later.
  const isLate = confirmedNotStored(checked, stored.lastSeqs) > 0;
  const reached = isLate ? await readLastSeqs(cast, { rest, tokens, ids }) : stored.lastSeqs;
  coordinator.finish();
  await Promise.race([ownWorkers.ended, pause(END_WITHIN, undefined, { ref: false })]);
  return {
    profile: options.profile.name,
    targets: options.targets,
    sockets,
    conversations: conversationsIn(cast),
    members: options.members,
    rate: steps[0]?.rate ?? 0,
    duration,
    workers: options.workers,
    clockUncertainty,
    ...merge(opened, checked, stored),
    confirmedNotStored: confirmedNotStored(checked, reached),
    day: mixed ? mergeDays(checked.map(({ day }) => day)) : null,
    steps: steps.map((step, index) => mergeStep(step, index, { steps, checked, figures })),
    connectCpu,
    servers: figures,
    seconds: Array.from(seconds, (second) => (second ?? new MergedTally()).figures()),
  };
}

function merge(opened: readonly Opened[], checked: readonly Checked[], stored: Stored) {
  const sum = (one: (report: Checked) => number) =>
    checked.reduce((total, report) => total + one(report), 0);
  const connect = new Latency();
  for (const one of opened) {
    connect.add(one.connect);
  }
  const all = mergeTallies(checked.flatMap(({ steps }) => steps));
  const storms = checked.flatMap(({ stormOver }) => stormOver ?? []);
  const distribution = (latency: Latency) =>
    PERCENTS.map((percent) => [percent, latency.percentile(percent)] as const);
  return {
    ...all.figures(),
    connectsPerSecond: opened.reduce((total, { sockets, seconds }) => total + sockets / seconds, 0),
    unanswered: sum(({ unanswered }) => unanswered),
    skipped: sum(({ skipped }) => skipped),
    stored: stored.lastSeqs.reduce((total, count) => total + count, 0),
    storedTwice: stored.twice,
    holes: stored.holes,
    reactionsNotStored: stored.reactionsNotStored,
    expected: sum(({ expected }) => expected),
    delivered: sum(({ delivered }) => delivered),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    reordered: sum(({ reordered }) => reordered),
    strays: sum(({ strays }) => strays),
    socketsLost: sum(({ socketsLost }) => socketsLost),
    stormOver: storms.length === 0 ? null : Math.max(...storms),
    connect: connect.summary(),
    distribution: { confirm: distribution(all.confirm), delivery: distribution(all.delivery) },
    behind: Math.max(0, ...checked.flatMap(({ steps }) => steps.map(({ behind }) => behind))),
    ownCpu: sum(({ cpu }) => cpu),
  };
}

function mergeStep(
  step: Step,
  index: number,
  of: { steps: readonly Step[]; checked: readonly Checked[]; figures: ServerFigures | null },
): StepFigures {
  const mine = of.checked.flatMap(({ steps }) => steps[index] ?? []);
  const began = of.steps.slice(0, index).reduce((sum, one) => sum + one.duration, 0) / 1000;
  const duration = step.duration / 1000;
  return {
    rate: step.rate,
    duration,
    ...mergeTallies(mine).figures(),
    behind: Math.max(0, ...mine.map(({ behind }) => behind)),
    cpu: of.figures === null ? null : meanCpu(of.figures.samples, began, began + duration),
  };
}

/** Of the samples that lie within. */
function meanCpu(samples: readonly ServerSample[], from: number, until: number): number {
  const within = samples.filter(({ at }) => at > from + 0.9 && at <= until + 0.2);
  return within.reduce((sum, { cpu }) => sum + cpu, 0) / Math.max(1, within.length);
}
