import type { EventBus } from '@bambochat/messaging';
import {
  type GatewayId,
  type PresenceReport,
  type PresenceReportAnswer,
  presenceReportAnswerSchema,
  type UserId,
} from '@bambochat/protocol';
import type { Logger } from '@bambochat/runtime';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { createPresenceReplicas } from './presence-replicas.ts';
import type { Roster } from './roster.ts';

export interface PresenceReports {
  /** The roster has changed. */
  changed(): void;
  /** Reports now, whatever was to be waited for. */
  now(): void;
  /** Resolves when all changes are reported, or after `timeout` ms; reports nothing afterwards. */
  drain(timeout: number): Promise<void>;
  stop(): void;
}

/** A report has arrived. */
export interface Confirmation {
  /** Users who are known by it: changes of their friends are sent to this gateway from now on. */
  known: UserId[];
  /** Users whom presence-service had lost for a while: they may have missed changes. */
  lost: UserId[];
}

/**
 * An answer is not waited for long, and the first retries come soon: more than ten fit into what a
 * lease has left.
 */
const ANSWERS_PER_INTERVAL = 10;
const ANSWER_WITHIN_MIN = 250;
const ANSWER_WITHIN_MAX = 2000;
const FAILURES_TO_LOG = 3;
const SOON_RETRIES = 15;
const RETRY_SOON = 100;
/** Where nobody answers at all. */
const RETRY_LATER = 750;
/** Gateways that failed together do not come back together: up to as much again as jitter. */
function retryDelay(failures: number): number {
  return (failures <= SOON_RETRIES ? RETRY_SOON : RETRY_LATER) * (1 + Math.random());
}

/**
 * Tells presence-service who is here, by one report at a time: what changes while one is in flight
 * goes with the next, so a burst makes reports bigger and not more. Without changes a report is a
 * heartbeat, at the interval that the answer before asked for. A report that failed, however, is
 * made again with what is true by then, for as long as it takes.
 *
 * Where the answer shows that presence-service has another roster, the parts that differ are sent
 * whole, one with each report. A part that differs even then waits for the next heartbeat.
 */
export function reportPresence(options: {
  bus: EventBus;
  gatewayId: GatewayId;
  roster: Roster;
  onConfirmed: (confirmation: Confirmation) => void;
  metrics: GatewayMetrics;
  logger: Logger;
}): PresenceReports {
  const { bus, gatewayId, roster, metrics, logger } = options;
  const replicas = createPresenceReplicas();
  let number = 0;
  let reporting = false;
  let stopped = false;
  let failures = 0;
  let answerWithin = ANSWER_WITHIN_MAX;
  let timer: NodeJS.Timeout | undefined;
  /** Parts to be replaced. */
  let differing: number[] = [];
  /** Parts replaced since the last heartbeat. */
  const replaced = new Set<number>();
  let settled = false;
  let onIdle: (() => void) | null = null;

  function compose(): { report: PresenceReport; lost: UserId[] } {
    number += 1;
    const report: PresenceReport = { gatewayId, number, ...roster.take() };
    const bucket = differing[0];
    // Changes first: departures keep their own time, and the digest is of those who are here.
    if (bucket === undefined || roster.hasChanges) {
      return { report, lost: [] };
    }
    replaced.add(bucket);
    const users = roster.bucket(bucket);
    report.replaced = { bucket, users };
    return { report, lost: settled ? users.map(([userId]) => userId) : [] };
  }

  async function report(): Promise<PresenceReportAnswer | null> {
    const { report, lost } = compose();
    metrics.presenceReports.inc();
    let answer: PresenceReportAnswer;
    try {
      answer = presenceReportAnswerSchema.parse(
        await bus.request(replicas.subject(failures), report, { timeout: answerWithin }),
      );
    } catch (error) {
      metrics.presenceReportFailures.inc();
      failures += 1;
      // One alone is what a replica that was killed leaves behind.
      if (failures === FAILURES_TO_LOG) {
        logger.warn({ err: error }, 'presence cannot be reported, trying again');
      }
      roster.revert();
      return null;
    }
    if (failures >= FAILURES_TO_LOG) {
      logger.info('presence is reported again');
    }
    failures = 0;
    replicas.answered(answer.replicaId);
    answerWithin = Math.min(
      Math.max(answer.nextReportIn / ANSWERS_PER_INTERVAL, ANSWER_WITHIN_MIN),
      ANSWER_WITHIN_MAX,
    );
    const known = roster.confirm();
    compare(answer);
    options.onConfirmed({ known, lost });
    return answer;
  }

  function compare(answer: PresenceReportAnswer): void {
    const different = answer.buckets === null ? [] : roster.differences(answer.buckets);
    if (different.length > 0 && replaced.size === 0) {
      logger.warn({ parts: different.length }, 'presence-service has another roster, repairing it');
    }
    differing = different.filter((bucket) => !replaced.has(bucket));
    settled = answer.settled;
  }

  async function run(): Promise<void> {
    let delay: number | null = null;
    try {
      let answer: PresenceReportAnswer | null;
      do {
        answer = await report();
      } while (answer !== null && !stopped && (roster.hasChanges || differing.length > 0));
      if (answer !== null) {
        delay = answer.nextReportIn;
        onIdle?.();
      }
    } catch (error) {
      logger.error({ err: error }, 'reporting presence failed');
    }
    reporting = false;
    if (!stopped) {
      timer = setTimeout(heartbeat, delay ?? retryDelay(failures));
      timer.unref();
    }
  }

  function start(): void {
    if (!reporting && !stopped) {
      reporting = true;
      clearTimeout(timer);
      void run();
    }
  }

  function heartbeat(): void {
    replaced.clear();
    start();
  }

  start();

  return {
    changed() {
      if (roster.hasChanges && failures === 0) {
        start();
      }
    },
    now: heartbeat,
    async drain(timeout) {
      if (reporting || roster.hasChanges) {
        const idle = Promise.withResolvers<void>();
        onIdle = idle.resolve;
        const late = setTimeout(idle.resolve, timeout);
        start();
        await idle.promise;
        clearTimeout(late);
      }
      stopped = true;
      clearTimeout(timer);
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
