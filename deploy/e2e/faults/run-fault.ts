import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@bambochat/testing';
import { type ConversationOutcome, checkInvariants, type Verdict } from './check-invariants.ts';
import { CheckedLoad } from './checked-load.ts';
import { type Fault, FaultSkipped, type LoadOptions, type System } from './fault.ts';

export interface FaultResult {
  readonly id: number;
  readonly name: string;
  readonly sent: number;
  readonly confirmed: number;
  readonly stored: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** All clients came to the same list as the history, in time. */
  readonly converged: boolean;
  /** Milliseconds from the end of the fault until every client was well again; null: not in time. */
  readonly recoveryMs: number | null;
  readonly evidence: readonly string[];
  readonly violations: readonly string[];
  /** Why this machine does not allow it; nothing else holds then. */
  readonly skipped?: string;
}

/** Messages of every client that are confirmed before something breaks. */
const WARM_UP = 5;
const defaults: Omit<LoadOptions, 'urlOf'> = { rate: 8, textLength: 40, patience: 120_000 };

/** Holds only what was counted: a result is never thrown away because something else failed. */
export function holds(result: FaultResult): boolean {
  return (
    result.converged &&
    result.recoveryMs !== null &&
    result.lost + result.duplicated + result.reordered + result.violations.length === 0 &&
    result.confirmed > 0
  );
}

/** Keeps a checked load on the system, lets the fault happen, and judges from the outside. */
export async function runFault(fault: Fault, system: System): Promise<FaultResult> {
  const options: LoadOptions = { ...defaults, urlOf: () => system.target.restUrl, ...fault.load };
  const load = await CheckedLoad.open(system.target, options);
  const evidence: string[] = [];
  const problems: string[] = [];
  try {
    load.begin();
    await load.flowing(WARM_UP);
    let healedAt: number | null = null;
    try {
      await fault.run({
        system,
        load,
        evidence: (text) => evidence.push(text),
        healed: () => {
          healedAt = Date.now();
        },
      });
    } catch (error) {
      if (error instanceof FaultSkipped) {
        return { ...nothing(fault), skipped: error.message };
      }
      problems.push(`the fault did not happen as it should: ${messageOf(error)}`);
    }
    if (evidence.length === 0) {
      problems.push('nothing shows that the fault happened');
    }
    const since = healedAt ?? Date.now();
    const recoveryMs = await load.recovered(since, options.patience).then(
      () => Date.now() - since,
      (error: unknown) => {
        problems.push(messageOf(error));
        return null;
      },
    );
    load.end();
    const settled = await waitFor(() => load.clients.every((client) => client.settled), {
      describe: 'every message to be confirmed or refused',
      timeout: options.patience,
      interval: 50,
    }).catch((error: unknown) => {
      problems.push(messageOf(error));
      return false;
    });
    const verdict = await converge(load, fault, options.patience);
    return {
      ...nothing(fault),
      ...pick(verdict),
      converged: verdict.diverged === 0 && settled === true,
      recoveryMs,
      evidence,
      violations: [...problems, ...verdict.violations],
    };
  } finally {
    load.close();
  }
}

/** Looks until all lists are the history, or time is up; the last look counts. */
async function converge(load: CheckedLoad, fault: Fault, patience: number): Promise<Verdict> {
  const until = performance.now() + patience;
  for (;;) {
    const verdict = await look(load, fault).catch((error: unknown) => {
      if (performance.now() > until) {
        throw error;
      }
      return null;
    });
    const right = verdict !== null && verdict.diverged === 0;
    if (verdict !== null && (right || performance.now() > until)) {
      return verdict;
    }
    await delay(250);
  }
}

async function look(load: CheckedLoad, fault: Fault): Promise<Verdict> {
  await Promise.all(load.clients.map((client) => client.repair()));
  const outcomes = new Map<string, ConversationOutcome>();
  for (const { id, members } of load.conversations) {
    const [reader] = members;
    outcomes.set(id, {
      history: (await reader?.history(id)) ?? [],
      lists: load.clients
        .filter(({ userId }) => members.some((member) => member.userId === userId))
        .map((client) => ({ client: client.name, list: client.list(id) })),
    });
  }
  return checkInvariants(outcomes, load.clients, {
    everySendCounts: fault.everySendCounts ?? false,
  });
}

function nothing({ id, name }: Fault): FaultResult {
  return {
    id,
    name,
    sent: 0,
    confirmed: 0,
    stored: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    converged: false,
    recoveryMs: null,
    evidence: [],
    violations: [],
  };
}

function pick({ sent, confirmed, stored, lost, duplicated, reordered }: Verdict) {
  return { sent, confirmed, stored, lost, duplicated, reordered };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For a fault whose system did not even start, or that ended in an error of the runner. */
export function failed(fault: Fault, error: unknown): FaultResult {
  return error instanceof FaultSkipped
    ? { ...nothing(fault), skipped: error.message }
    : { ...nothing(fault), violations: [messageOf(error)] };
}
