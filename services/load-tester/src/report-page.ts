import { escaped, type PlotOptions, plot, plotStyle } from './plot.ts';
import { noticesOf, rowsOf, stepRowsOf } from './report-table.ts';
import { holds, type LoadResult } from './run-load.ts';

/** A page for a browser, with everything in it: no scripts, nothing from elsewhere. */
export function pageOf(result: LoadResult): string {
  const { lost, duplicated, reordered, confirm, delivery } = result;
  const verdict = holds(result) ? 'Everything holds' : 'A promise was broken';
  const tiles: [string, string][] = [
    ['confirmed', whole(result.confirmed)],
    ['delivered', whole(result.delivered)],
    ['lost · duplicated · reordered', `${lost} · ${duplicated} · ${reordered}`],
    ['due → confirmed, p50 · p99', `${short(confirm.p50)} · ${short(confirm.p99)} ms`],
    ['due → delivered, p50 · p99', `${short(delivery.p50)} · ${short(delivery.p99)} ms`],
  ];
  const title = `Load: ${result.profile}, ${whole(result.sockets)} sockets, ${result.duration} s`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>
:root { color-scheme: light dark; --page: #f6f7f8; --card: #fff; --ink: #1b2226; --quiet: #66727a; --edge: #dfe3e6; --good: #17714f; --bad: #b3261e; --one: #17714f; --two: #b35c00; --three: #3f5fc4; --four: #8c3fa8; }
@media (prefers-color-scheme: dark) { :root { --page: #14181b; --card: #1c2226; --ink: #e6eaec; --quiet: #93a0a8; --edge: #333c42; --good: #5fd3a9; --bad: #ff8a80; --one: #5fd3a9; --two: #ffb066; --three: #8fa8ff; --four: #d79bee; } }
body { margin: 0 auto; max-width: 86rem; padding: 2rem 1.25rem 3rem; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 2rem 0 .75rem; font-size: 1.1rem; }
header p { margin: .25rem 0 1.25rem; color: var(--quiet); overflow-wrap: anywhere; }
.verdict { font-weight: 600; color: var(--good); } .broken { color: var(--bad); }
.tiles, .plots { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
.plots { margin-top: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(32rem, 100%), 1fr)); }
.tile { padding: .8rem 1rem; border: 1px solid var(--edge); border-radius: 12px; background: var(--card); }
.tile span { display: block; color: var(--quiet); font-size: 13px; } .tile b { font-size: 1.25rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { overflow-x: auto; border: 1px solid var(--edge); border-radius: 12px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem 1rem; text-align: left; vertical-align: top; } tr + tr > * { border-top: 1px solid var(--edge); }
th { color: var(--quiet); font-weight: 500; white-space: nowrap; } .steps td, .steps th { text-align: right; white-space: nowrap; }
.notice { padding: .6rem 1rem; border-left: 4px solid var(--two); background: var(--card); }
${plotStyle}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p><span class="verdict${holds(result) ? '' : ' broken'}">${verdict}</span> · ${escaped(result.targets.join(', '))}</p>
</header>
${noticesOf(result)
  .map((notice) => `<p class="notice">${escaped(notice)}</p>`)
  .join('\n')}
<div class="tiles">
${tiles.map(([name, value]) => `<div class="tile"><span>${escaped(name)}</span><b>${escaped(value)}</b></div>`).join('\n')}
</div>
${stepsOf(result)}
<div class="plots">
${plotsOf(result).map(plot).join('\n')}
</div>
<h2>All figures</h2>
<div class="wide"><table>
${rowsOf(result)
  .map(
    ([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`,
  )
  .join('\n')}
</table></div>
</body>
</html>
`;
}

function stepsOf(result: LoadResult): string {
  if (result.steps.length === 1) {
    return '';
  }
  const [head = [], ...rows] = stepRowsOf(result);
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<h2>By offered rate</h2>
<div class="wide"><table class="steps">
${row(head, 'th')}
${rows.map((cells) => row(cells, 'td')).join('\n')}
</table></div>`;
}

function plotsOf(result: LoadResult): PlotOptions[] {
  const { seconds, servers, distribution, steps, confirm, delivery } = result;
  const over = (value: (second: LoadResult['seconds'][number]) => number) =>
    seconds.map((second, index) => [index + 1, value(second)] as const);
  const ends = steps.map((_, index) =>
    steps.slice(0, index + 1).reduce((sum, { duration }) => sum + duration, 0),
  );
  const time = { xUnit: ' s', marks: ends };
  const shed = over(({ refused }) => Object.values(refused).reduce((sum, one) => sum + one, 0));
  return [
    ...(steps.length === 1 ? [] : stepPlots(result)),
    {
      title: 'Messages a second',
      ...time,
      series: [
        { name: 'sent', points: over(({ sent }) => sent) },
        { name: 'confirmed', points: over(({ confirmed }) => confirmed) },
        ...(shed.some(([, count]) => count > 0) ? [{ name: 'refused', points: shed }] : []),
      ],
    },
    {
      title: 'Deliveries a second',
      ...time,
      series: [{ name: 'delivered', points: over(({ delivered }) => delivered) }],
    },
    ...(['confirm', 'delivery'] as const).map((name) => ({
      title: `${name === 'confirm' ? 'Due → confirmed' : 'Due → delivered'}, ms`,
      ...time,
      isLogarithmic: true,
      series: (['p50', 'p99', 'max'] as const).map((part) => ({
        name: part,
        points: over((second) => second[name][part]).filter(([, value]) => value > 0),
      })),
    })),
    {
      title: 'Distribution of latencies, ms',
      isLogarithmic: true,
      hasDots: true,
      ticks: percentTicks.filter(([x]) => x <= Math.log10(delivery.count + 1)),
      series: [
        { name: 'due → confirmed', points: percentPoints(distribution.confirm, confirm.count) },
        { name: 'due → delivered', points: percentPoints(distribution.delivery, delivery.count) },
      ],
    },
    ...(servers === null ? [] : serverPlots(servers, time)),
  ];
}

/** Latency, what got through and what was shed, against what was offered. */
function stepPlots({ steps }: LoadResult): PlotOptions[] {
  const ticks = steps.map(({ rate }, index) => [index + 1, `${rate}/s`] as const);
  const over = (value: (step: LoadResult['steps'][number]) => number) =>
    steps.map((step, index) => [index + 1, value(step)] as const);
  const common = { ticks, hasDots: true, isLogarithmic: true };
  return [
    {
      title: 'Latency by offered rate, ms',
      ...common,
      series: [
        { name: 'confirmed p50', points: over(({ confirm }) => confirm.p50) },
        { name: 'confirmed p99', points: over(({ confirm }) => confirm.p99) },
        { name: 'delivered p50', points: over(({ delivery }) => delivery.p50) },
        { name: 'delivered p99', points: over(({ delivery }) => delivery.p99) },
      ],
    },
    {
      title: 'Messages a second by offered rate',
      ...common,
      isLogarithmic: false,
      series: [
        { name: 'confirmed', points: over(({ confirmed, duration }) => confirmed / duration) },
        {
          name: 'refused',
          points: over(
            ({ refused, duration }) =>
              Object.values(refused).reduce((sum, one) => sum + one, 0) / duration,
          ),
        },
      ],
    },
  ];
}

/** So many processes have a line of their own; the rest is in the sum. */
const PROCESSES_SHOWN = 3;

function serverPlots(
  { samples, processes }: NonNullable<LoadResult['servers']>,
  time: Pick<PlotOptions, 'xUnit' | 'marks'>,
): PlotOptions[] {
  const busiest = processes
    .map(({ name, cpu }, index) => ({ name, cpu, index }))
    .sort((one, other) => other.cpu - one.cpu)
    .slice(0, processes.length === 1 ? 0 : PROCESSES_SHOWN);
  return [
    {
      title: 'CPU of the servers, cores',
      ...time,
      series: [
        {
          name: processes.length === 1 ? (processes[0]?.name ?? '') : 'all',
          points: samples.map(({ at, cpu }) => [at, cpu] as const),
        },
        ...busiest.map(({ name, index }) => ({
          name,
          points: samples.map(({ at, cpuOf }) => [at, cpuOf[index] ?? 0] as const),
        })),
      ],
    },
    {
      title: 'Memory of the servers, MiB',
      ...time,
      series: [
        {
          name: 'resident',
          points: samples.map(({ at, memory }) => [at, memory / 2 ** 20] as const),
        },
      ],
    },
  ];
}

/** 90 %, 99 % and 99.9 % are as far from each other; the largest stands where one in all is. */
function percentPoints(
  distribution: LoadResult['distribution']['confirm'],
  count: number,
): [number, number][] {
  const known = distribution.filter(([percent]) => rarity(percent) < Math.log10(count));
  const largest = distribution.at(-1);
  return [...known, ...(largest === undefined || count === 0 ? [] : [largest])].map(
    ([percent, value]) => [Math.min(rarity(percent), Math.log10(count)), value],
  );
}

/** How many zeros there are in "one in a thousand". */
function rarity(percent: number): number {
  return -Math.log10(1 - percent / 100);
}

const percentTicks = [0, 50, 90, 99, 99.9, 99.99, 99.999].map(
  (percent) => [rarity(percent), `${percent} %`] as const,
);

function whole(value: number): string {
  return value.toLocaleString('en');
}

function short(milliseconds: number): string {
  return milliseconds < 100 ? milliseconds.toFixed(1) : milliseconds.toFixed(0);
}
