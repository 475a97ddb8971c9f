import type { LatencySummary } from './latency.ts';
import { BEHIND_MAX, holds, type LoadResult } from './run-load.ts';

/** For people. */
export function tableOf(result: LoadResult): string {
  const lines = rowsOf(result).map(([name, value]) => `${name.padEnd(20)} ${value}`);
  if (result.steps.length > 1) {
    lines.push('', ...aligned(stepRowsOf(result)), '');
  }
  lines.push(...noticesOf(result));
  lines.push(holds(result) ? 'Everything holds.' : 'SOMETHING WAS LOST, DUPLICATED OR REORDERED.');
  return `${lines.join('\n')}\n`;
}

/** What a reader of the figures has to know. */
export function noticesOf(result: LoadResult): string[] {
  const notices: [boolean, string][] = [
    [
      result.behind > BEHIND_MAX,
      'The load tester was behind its schedule: latencies are too long. Use more machines.',
    ],
    [
      result.unanswered > 0 && result.socketsLost === 0,
      'The run did not come to rest: some messages were still without an answer.',
    ],
  ];
  return notices.flatMap(([isSo, notice]) => (isSo ? [notice] : []));
}

export function rowsOf(result: LoadResult): [string, string][] {
  const { day, servers, stormOver } = result;
  const connectCpu = result.connectCpu.reduce((sum, cpu) => sum + cpu, 0);
  const rows: [string, string, boolean?][] = [
    ['profile', `${result.profile}, ${result.duration} s`],
    ['sockets', `${result.sockets} (${result.connectsPerSecond.toFixed(0)} opened a second)`],
    [
      'conversations',
      `${result.conversations}${result.conversations === 0 ? '' : ` of ${day === null ? result.members : `2, ${result.members} and one large`}`}`,
    ],
    ['workers', `${result.workers}, clocks within ${result.clockUncertainty.toFixed(2)} ms`],
    [
      'sent',
      `${result.sent}, of ${result.steps.map(({ rate }) => rate).join(', ')} a second wanted`,
    ],
    ['confirmed', String(result.confirmed)],
    [
      'stored',
      `${result.stored}; not, though confirmed: ${result.confirmedNotStored}; twice: ${result.storedTwice}; holes: ${result.holes}`,
    ],
    ['unanswered, skipped', `${result.unanswered}, ${result.skipped}`],
    ['refused', refusals(result.refused)],
    ['expected', String(result.expected)],
    ['delivered', String(result.delivered)],
    ['lost', String(result.lost)],
    ['duplicated', String(result.duplicated)],
    ['reordered', String(result.reordered)],
    ['to no member', String(result.strays), result.strays > 0],
    [
      'beside',
      `${day?.typings} typing, ${day?.marks} read marks, ${day?.reactions} reactions (not stored: ${result.reactionsNotStored}), ${day?.returns} went and came back and read ${day?.caughtUp} messages; wrong answers: ${day?.wrong}`,
      day !== null,
    ],
    ['sockets lost', String(result.socketsLost)],
    ['all back after', `${stormOver?.toFixed(0)} ms`, stormOver !== null],
    ['connect', latency(result.connect)],
    [
      'connect, CPU',
      `${((1000 * connectCpu) / result.sockets).toFixed(2)} ms of all servers for each socket`,
      servers !== null,
    ],
    ['due → confirmed', latency(result.confirm)],
    ['due → delivered', latency(result.delivery)],
    [
      'load tester',
      `${result.ownCpu.toFixed(1)} s CPU, ${result.behind.toFixed(0)} ms behind at most`,
    ],
    ...(servers?.processes ?? []).map((one): [string, string] => [one.name, cost(one)]),
    ['servers', servers === null ? '' : cost(servers), (servers?.processes.length ?? 0) > 1],
  ];
  return rows.flatMap(([name, value, isShown = true]): [string, string][] =>
    isShown ? [[name, value]] : [],
  );
}

/** A head and a row for each step. */
export function stepRowsOf({ steps }: LoadResult): string[][] {
  return [
    [
      'offered/s',
      'sent/s',
      'confirmed/s',
      'refused/s',
      'confirm p50',
      'p99',
      'max ms',
      'deliver p50',
      'p99',
      'max ms',
      'CPU cores',
      'tester behind ms',
    ],
    ...steps.map((step) => {
      const { confirm, delivery, duration } = step;
      const refused = Object.values(step.refused).reduce((sum, one) => sum + one, 0);
      return [
        String(step.rate),
        ...[step.sent, step.confirmed, refused].map((count) => (count / duration).toFixed(0)),
        ...[confirm.p50, confirm.p99, confirm.max].map((value) => value.toFixed(1)),
        ...[delivery.p50, delivery.p99, delivery.max].map((value) => value.toFixed(1)),
        step.cpu === null ? '-' : step.cpu.toFixed(2),
        step.behind.toFixed(0),
      ];
    }),
  ];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '),
  );
}

function cost({ cpu, memory }: { cpu: number; memory: number }): string {
  return `${cpu.toFixed(2)} s CPU, ${(memory / 2 ** 20).toFixed(0)} MiB`;
}

function latency({ p50, p90, p99, p999, max }: LatencySummary): string {
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((value) => value.toFixed(1));
  return `p50 ${a}  p90 ${b}  p99 ${c}  p99.9 ${d}  max ${e} ms`;
}

function refusals(refused: Readonly<Record<string, number>>): string {
  const all = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
  return all.length === 0 ? '0' : all.join(', ');
}
