/** One line of a plot: points in rising x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  readonly title: string;
  readonly series: readonly Series[];
  /** A factor of ten is as long everywhere; what is 0 is drawn at the bottom. */
  readonly isLogarithmic?: boolean;
  /** A dot at each point: for few points. */
  readonly hasDots?: boolean;
  /** What stands below; default: a few round values of x. */
  readonly ticks?: readonly (readonly [x: number, label: string])[];
  /** What stands behind a value of x, when it has no tick of its own. */
  readonly xUnit?: string;
  /** Vertical lines, as between steps. */
  readonly marks?: readonly number[];
}

const WIDTH = 640;
const HEIGHT = 240;
const [LEFT, RIGHT, TOP, BOTTOM] = [58, 16, 14, 30];

/** An SVG picture in a figure with its title and the names of the lines; no scripts. */
export function plot(options: PlotOptions): string {
  const { title, series, isLogarithmic = false, marks = [] } = options;
  const points = series.flatMap((one) => one.points);
  const [least, most] = extent(points.map(([x]) => x));
  const values = points.map(([, y]) => y);
  const axis = isLogarithmic ? logarithmicAxis(values) : linearAxis(values);
  const x = (value: number) =>
    (LEFT + ((value - least) / (most - least || 1)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const y = (value: number) =>
    (HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - BOTTOM - TOP)).toFixed(1);
  const ticks = options.ticks ?? roundTicks(least, most, options.xUnit ?? '');
  const parts = [
    ...axis.ticks.map(
      (value) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/>` +
        `<text class="label" x="${LEFT - 8}" y="${y(value)}" dy="4" text-anchor="end">${labelOf(value)}</text>`,
    ),
    ...marks.map(
      (mark) =>
        `<line class="mark" x1="${x(mark)}" x2="${x(mark)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>`,
    ),
    ...ticks.map(
      ([at, label]) =>
        `<text class="label" x="${x(at)}" y="${HEIGHT - 10}" text-anchor="middle">${escaped(label)}</text>`,
    ),
    ...series.map((one, index) => {
      const path = one.points.map(([at, value]) => `${x(at)},${y(value)}`).join(' ');
      const dots = one.points.map(
        ([at, value]) =>
          `<circle class="dot dot${index}" cx="${x(at)}" cy="${y(value)}" r="${options.hasDots ? 3 : 5}"${options.hasDots ? '' : ' fill-opacity="0"'}><title>${escaped(one.name)}: ${labelOf(value)}</title></circle>`,
      );
      return `<polyline class="line line${index}" points="${path}"/>${dots.join('')}`;
    }),
  ];
  const names = series.map(
    (one, index) => `<span class="name name${index}">${escaped(one.name)}</span>`,
  );
  return (
    `<figure><figcaption><strong>${escaped(title)}</strong>${names.join('')}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join('')}</svg></figure>`
  );
}

/** Of {@link plot}, for the page's style element. */
export const plotStyle = `
figure { margin: 0; padding: 1rem 1rem .4rem; border: 1px solid var(--edge); border-radius: 12px; background: var(--card); }
figcaption { display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline; margin-bottom: .3rem; font-size: 14px; }
figcaption strong { margin-right: auto; }
.name::before { content: ''; display: inline-block; width: .8em; height: .25em; margin-right: .4em; vertical-align: middle; border-radius: 2px; background: var(--series); }
svg { display: block; width: 100%; height: auto; font-size: 12px; }
.label { fill: var(--quiet); font-variant-numeric: tabular-nums; } .grid { stroke: var(--edge); }
.mark { stroke: var(--quiet); stroke-dasharray: 2 4; opacity: .6; }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; } .dot { fill: var(--series); }
.line0, .dot0, .name0 { --series: var(--one); } .line1, .dot1, .name1 { --series: var(--two); }
.line2, .dot2, .name2 { --series: var(--three); } .line3, .dot3, .name3 { --series: var(--four); }
`;

interface Axis {
  readonly ticks: readonly number[];
  /** 0 … 1 */
  place(value: number): number;
}

/** From 0 to something round. */
function linearAxis(values: readonly number[]): Axis {
  const most = Math.max(0, ...values);
  const step = roundStep((most || 1) / 4);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  const top = count * step;
  return {
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    place: (value) => value / top,
  };
}

/** Powers of ten around all values. */
function logarithmicAxis(values: readonly number[]): Axis {
  const [least, most] = extent(values.filter((value) => value > 0));
  const from = Math.floor(Math.log10(least || 0.1));
  const to = Math.max(from + 1, Math.ceil(Math.log10(most || 1) - 1e-9));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
    place: (value) => (value <= 0 ? 0 : Math.max(0, (Math.log10(value) - from) / (to - from))),
  };
}

function roundTicks(least: number, most: number, unit: string): [number, string][] {
  const step = roundStep((most - least) / 8 || 1);
  const ticks: [number, string][] = [];
  for (let at = Math.ceil(least / step) * step; at <= most + 1e-9; at += step) {
    ticks.push([at, `${Number(at.toPrecision(6))}${unit}`]);
  }
  return ticks;
}

/** 1, 2 or 5 times a power of ten, at least so much. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return (
    [1, 2, 5].map((factor) => factor * power).find((step) => step >= value - 1e-12) ?? 10 * power
  );
}

function extent(values: readonly number[]): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return values.length === 0 ? [0, 0] : [least, most];
}

function labelOf(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en', { maximumSignificantDigits: 4 });
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
