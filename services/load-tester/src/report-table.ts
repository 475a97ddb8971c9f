import type { LatencySummary } from './latency.ts';
import { BEHIND_MAX, holds, type LoadResult } from './run-load.ts';

/** For people. */
export function tableOf(result: LoadResult): string {
  const rows: [string, string][] = [
    ['profile', `${result.profile}, ${result.duration} s`],
    ['sockets', `${result.sockets} (${result.connectsPerSecond.toFixed(0)} opened a second)`],
    ['conversations', `${result.conversations} of ${result.members}`],
    ['sent', `${result.sent}, of ${result.rate} a second wanted`],
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
    ['sockets lost', String(result.socketsLost)],
    ...(result.stormOver === null
      ? []
      : [['all back after', `${result.stormOver.toFixed(0)} ms`] as [string, string]]),
    ['connect', latency(result.connect)],
    ['due → confirmed', latency(result.confirm)],
    ['due → delivered', latency(result.delivery)],
    [
      'load tester',
      `${result.ownCpu.toFixed(1)} s CPU, ${result.behind.toFixed(0)} ms behind at most`,
    ],
    ...(result.servers === null
      ? []
      : [
          [
            'servers',
            `${result.servers.cpu.toFixed(1)} s CPU, ${(result.servers.memory / 2 ** 20).toFixed(0)} MiB`,
          ] as [string, string],
        ]),
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(20)} ${value}`);
  if (result.behind > BEHIND_MAX) {
    lines.push(
      'The load tester was behind its schedule: latencies are too long. Use more machines.',
    );
  }
  lines.push(holds(result) ? 'Everything holds.' : 'SOMETHING WAS LOST, DUPLICATED OR REORDERED.');
  return `${lines.join('\n')}\n`;
}

function latency({ p50, p90, p99, p999, max }: LatencySummary): string {
  const [a, b, c, d, e] = [p50, p90, p99, p999, max].map((value) => value.toFixed(1));
  return `p50 ${a}  p90 ${b}  p99 ${c}  p99.9 ${d}  max ${e} ms`;
}

function refusals(refused: Readonly<Record<string, number>>): string {
  const all = Object.entries(refused).map(([code, count]) => `${code} ${count}`);
  return all.length === 0 ? '0' : all.join(', ');
}
