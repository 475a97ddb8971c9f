import { createLogUpdate } from 'log-update';
import type { Figures } from './merge-results.ts';
import { MergedTally } from './merge-results.ts';
import type { Progress, Step } from './worker-protocol.ts';

/** Says how far a run is. */
export interface ProgressDisplay extends Disposable {
  phase(text: string): void;
  /** What takes the reports of as many workers. */
  follow(workers: number, steps: readonly Step[]): (worker: number, progress: Progress) => void;
}

/** Where it is shown: standard error, usually. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A panel that is drawn anew in place on a terminal, and a line a second elsewhere. */
export function createProgressDisplay(
  screen: NodeJS.WriteStream | Screen,
  title: string,
): ProgressDisplay {
  const panel = screen.isTTY === true ? createPanel(screen as NodeJS.WriteStream, title) : null;
  const line = (text: string) => void screen.write(`${text}\n`);
  return {
    phase(text) {
      if (panel === null) {
        line(text);
      } else {
        panel.phase(text);
      }
    },
    follow(workers, steps) {
      const open = new Map<number, number>();
      const gathering = new Map<number, { missing: number; tally: MergedTally }>();
      return (worker, progress) => {
        open.set(worker, progress.open);
        const sockets = [...open.values()].reduce((sum, one) => sum + one, 0);
        const { second, tally } = progress;
        if (second === null || tally === null) {
          panel?.sockets(sockets);
          return;
        }
        const gathered = gathering.get(second) ?? { missing: workers, tally: new MergedTally() };
        gathering.set(second, gathered);
        gathered.tally.add(tally);
        gathered.missing -= 1;
        if (gathered.missing > 0) {
          return;
        }
        gathering.delete(second);
        const figures = gathered.tally.figures();
        if (panel === null) {
          line(lineOf(sockets, figures));
        } else {
          panel.second(sockets, second + 1, steps, figures);
        }
      };
    },
    [Symbol.dispose]() {
      panel?.end();
    },
  };
}

function lineOf(sockets: number, figures: Figures): string {
  const { sent, confirmed, delivered } = figures;
  const refused = refusedIn(figures);
  const shed = refused === 0 ? '' : `, refused ${refused}/s`;
  return `${sockets} open, sent ${sent}/s, confirmed ${confirmed}/s${shed}, delivered ${delivered}/s`;
}

const BAR = 32;

function createPanel(screen: NodeJS.WriteStream, title: string) {
  const draw = createLogUpdate(screen, { showCursor: true });
  let phase = '';
  let sockets = 0;
  let rows: string[] = [];
  const show = () => draw([title, phase, `sockets    ${count(sockets)} open`, ...rows].join('\n'));
  return {
    phase(text: string) {
      phase = text;
      show();
    },
    sockets(open: number) {
      sockets = open;
      show();
    },
    second(open: number, passed: number, steps: readonly Step[], figures: Figures) {
      sockets = open;
      const all = steps.reduce((sum, step) => sum + step.duration, 0) / 1000;
      const filled = Math.round((Math.min(passed, all) / all) * BAR);
      phase = `running    ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.min(passed, all)} of ${all} s`;
      const step = stepAt(steps, passed - 1);
      const { sent, confirmed, delivered, confirm, delivery } = figures;
      rows = [
        ...(steps.length === 1
          ? []
          : [`step       ${step + 1} of ${steps.length}: ${count(steps[step]?.rate ?? 0)}/s`]),
        `sent       ${perSecond(sent)}  refused   ${perSecond(refusedIn(figures))}`,
        `confirmed  ${perSecond(confirmed)}  p50 ${milliseconds(confirm.p50)}  p99 ${milliseconds(confirm.p99)}`,
        `delivered  ${perSecond(delivered)}  p50 ${milliseconds(delivery.p50)}  p99 ${milliseconds(delivery.p99)}`,
      ];
      show();
    },
    /** The result comes after it, and what was is of no interest any more. */
    end: () => draw.clear(),
  };
}

/** Which step the second belongs to. */
function stepAt(steps: readonly Step[], second: number): number {
  let end = 0;
  const index = steps.findIndex(({ duration }) => {
    end += duration / 1000;
    return second < end;
  });
  return index < 0 ? steps.length - 1 : index;
}

function refusedIn({ refused }: Figures): number {
  return Object.values(refused).reduce((sum, one) => sum + one, 0);
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function perSecond(value: number): string {
  return `${count(value).padStart(9)}/s`;
}

function milliseconds(value: number): string {
  return `${value.toFixed(1).padStart(8)} ms`;
}
