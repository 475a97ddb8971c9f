import type { CommandLog, CommandLogFigures } from '@bambochat/messaging';
import { settlesWithin } from '@bambochat/messaging';
import type { MessageServiceMetrics } from './message-service-metrics.ts';

/** Milliseconds between two looks; a look asks the server three questions. */
const LOOK_INTERVAL = 5000;
const LOOK_TIMEOUT = 2000;

/**
 * Shows how far consumers are behind. Every replica tells the same, so that it is told for as long
 * as one of them lives. What cannot be read is not shown: an old figure would look like a good one.
 */
export function watchCommandLog(options: {
  commandLog: Pick<CommandLog, 'figures'>;
  metrics: MessageServiceMetrics;
  /** Default 5000 ms. */
  interval?: number;
}): { stop(): void } {
  const { commandLog, metrics, interval = LOOK_INTERVAL } = options;
  let looking = false;

  async function look(): Promise<void> {
    // One that hangs is not asked a second time.
    if (looking) {
      return;
    }
    looking = true;
    let figures: CommandLogFigures | null = null;
    const reading = commandLog.figures().then(
      (read) => {
        figures = read;
      },
      () => {},
    );
    await settlesWithin(reading, LOOK_TIMEOUT);
    metrics.looks.inc({ outcome: figures === null ? 'failed' : 'done' });
    show(metrics, figures);
    await reading;
    looking = false;
  }

  void look();
  const timer = setInterval(() => void look(), interval);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function show(metrics: MessageServiceMetrics, figures: CommandLogFigures | null): void {
  metrics.pending.reset();
  metrics.unacknowledged.reset();
  for (const { partition, pending, unacknowledged } of figures?.partitions ?? []) {
    metrics.pending.set({ partition }, pending);
    metrics.unacknowledged.set({ partition }, unacknowledged);
  }
  metrics.oldestAge.set(figures === null ? Number.NaN : ageOf(figures.oldestAt));
  metrics.logBytes.set(figures?.bytes ?? Number.NaN);
  metrics.logBytesMax.set(figures?.maxBytes ?? Number.NaN);
  metrics.deadLettersKept.set(figures?.deadLetters ?? Number.NaN);
}

function ageOf(at: number | null): number {
  return at === null ? 0 : Math.max(0, Date.now() - at) / 1000;
}
