import { tableOf } from './report-table.ts';
import type { LoadResult } from './run-load.ts';

interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 56;
const BOTTOM = 24;
const TOP = 28;

/** A page for a browser, with everything in it: no scripts, nothing from elsewhere. */
export function pageOf(result: LoadResult): string {
  const { seconds, servers, distribution } = result;
  const over = (name: keyof (typeof seconds)[number]) => seconds.map((second) => second[name]);
  const plots = [
    plot('Messages a second', [
      { name: 'sent', values: over('sent') },
      { name: 'confirmed', values: over('confirmed') },
    ]),
    plot('Deliveries a second', [{ name: 'delivered', values: over('delivered') }]),
    plot('Latency, p99 of each second, ms', [
      { name: 'due → confirmed', values: over('confirmP99') },
      { name: 'due → delivered', values: over('deliveryP99') },
    ]),
    plot(
      'Delivery: percentile and ms',
      [{ name: 'due → delivered', values: distribution.map(([, value]) => value) }],
      distribution.map(([percent]) => String(percent)),
    ),
    ...(servers === null
      ? []
      : [
          plot('CPU of the servers, cores', [
            { name: 'CPU', values: servers.samples.map(({ cpu }) => cpu) },
          ]),
          plot('Memory of the servers, MiB', [
            { name: 'memory', values: servers.samples.map(({ memory }) => memory / 2 ** 20) },
          ]),
        ]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Load: ${escaped(result.profile)}</title>
<style>
:root { color-scheme: light dark; --line: #8886; --one: #1d7f5f; --two: #b35c00; }
@media (prefers-color-scheme: dark) { :root { --one: #5fd3a9; --two: #ffb066; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 90rem; margin: 2rem auto; padding: 0 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(34rem, 100%), 1fr)); gap: 1.5rem; }
svg { width: 100%; height: auto; font-size: 12px; fill: currentColor; }
.grid { stroke: var(--line); } .line0 { stroke: var(--one); } .line1 { stroke: var(--two); }
.line { fill: none; stroke-width: 1.8; } .name0 { fill: var(--one); } .name1 { fill: var(--two); }
pre { overflow-x: auto; }
</style>
</head>
<body>
<h1>Load: ${escaped(result.profile)}</h1>
<pre>${escaped(tableOf(result))}</pre>
<div class="plots">
${plots.join('\n')}
</div>
</body>
</html>
`;
}

/** Lines over their index, or over the labels; the axis begins at 0. */
function plot(title: string, lines: readonly Line[], labels?: readonly string[]): string {
  const length = Math.max(2, ...lines.map(({ values }) => values.length));
  const most = niceAbove(Math.max(0, ...lines.flatMap(({ values }) => values)));
  const x = (index: number) => LEFT + (index / (length - 1)) * (WIDTH - LEFT - 24);
  const y = (value: number) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
  const grid = [0, 0.5, 1].map((part) => {
    const height = y(part * most).toFixed(1);
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - 24}" y1="${height}" y2="${height}"/><text x="${LEFT - 6}" y="${height}" dy="4" text-anchor="end">${Number((part * most).toPrecision(3))}</text>`;
  });
  const drawn = lines.map(({ name, values }, index) => {
    const points = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    return `<polyline class="line line${index}" points="${points.join(' ')}"/><text class="name${index}" x="${WIDTH - 24 - index * 130}" y="16" text-anchor="end">${escaped(name)}</text>`;
  });
  const ticks = Array.from({ length }, (_, index) => index).filter(
    (index) => labels !== undefined || index % Math.ceil(length / 10) === 0,
  );
  const axis = ticks.map(
    (index) =>
      `<text x="${x(index).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(labels?.[index] ?? `${index} s`)}</text>`,
  );
  return `<figure><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}"><text x="${LEFT}" y="16" font-weight="600">${escaped(title)}</text>${grid.join('')}${drawn.join('')}${axis.join('')}</svg></figure>`;
}

/** 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((top) => top >= value) ?? 1;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
