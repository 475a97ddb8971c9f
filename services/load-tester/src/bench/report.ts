import type { Result, ScaleResult } from './compare.ts';

export interface Report {
  readonly results: readonly Result[];
  readonly scale: readonly ScaleResult[];
  /** CPUs that other programs used meanwhile: the more, the less the figures mean. */
  readonly otherPrograms: { readonly mean: number; readonly worst: number };
}

/** Names of `npm run bench -- --json`; a ratio that was not measured is absent. */
export function ratiosOf({ results, scale }: Report): Record<string, number> {
  const named = (name: string) => results.find((result) => result.name === name)?.ratio;
  const ratios = {
    deliverCpuLight: named('rooms of 1,000 at 10 messages/s'),
    deliverCpuSaturated: named('rooms of 1,000 in bursts'),
    connectCpu: named('connect'),
    idleMemory: named('idle connection'),
    scaleOut8: scale.find(({ kind, gateways }) => kind === 'ours' && gateways === 8)?.ratio,
  };
  return Object.fromEntries(
    Object.entries(ratios).flatMap(([name, ratio]) =>
      ratio === undefined ? [] : [[name, Number(ratio.toFixed(3))]],
    ),
  );
}

export function tablesOf({ results, scale, otherPrograms }: Report): string {
  const lines = [];
  if (results.length > 0) {
    lines.push(
      '| what | unit | ours | plain Socket.IO | bare writes | ours ÷ plain |',
      '| --- | --- | --: | --: | --: | --: |',
      ...results.map(({ name, unit, ours, plain, floor, ratio }) => {
        const cells = [ours, plain, floor].map((cost) => cost?.toPrecision(3) ?? '');
        return `| ${name} | ${unit} | ${cells.join(' | ')} | ${ratio.toFixed(2)} |`;
      }),
    );
  }
  if (scale.length > 0) {
    lines.push(
      '',
      '| gateways | µs CPU per delivery, all together | one gateway beside them | ratio |',
      '| --- | --: | --: | --: |',
      ...scale.map(({ kind, gateways, cost, alone, ratio }) => {
        const name = kind === 'ours' ? gateways : `${gateways} of plain Socket.IO`;
        return `| ${name} | ${cost.toPrecision(3)} | ${alone.toPrecision(3)} | ${ratio.toFixed(2)} |`;
      }),
    );
  }
  const { mean, worst } = otherPrograms;
  lines.push('', `Other programs used ${mean} CPUs meanwhile, ${worst} in the worst round.`);
  return `${lines.join('\n')}\n`;
}

const ROW = 44;
const LEFT = 300;
const WIDTH = 480;

/**
 * Bars of ours and of the bare writes, in parts of plain Socket.IO's cost; below, several gateways in
 * parts of the cost of one.
 */
export function plotOf({ results, scale }: Report): string {
  const bars = [
    ...results.map(({ name, ratio, floor, plain }) => ({
      name,
      ratio,
      bare: floor === null ? null : floor / plain,
    })),
    ...scale.map(({ kind, gateways, ratio }) => ({
      name: `${gateways} ${kind === 'ours' ? 'gateways' : 'plain'}, ÷ one`,
      ratio,
      bare: null,
    })),
  ];
  const most = Math.max(1.2, ...bars.map(({ ratio }) => ratio));
  const x = (value: number) => LEFT + (value / most) * WIDTH;
  const rows = bars.map(({ name, ratio, bare }, index) => {
    const y = 50 + index * ROW;
    const below = bare === null ? '' : bar(y + 16, x(bare), 'bare', bare);
    return `<text class="name" x="${LEFT - 10}" y="${y + 14}">${name}</text>${bar(y, x(ratio), 'ours', ratio)}${below}`;
  });
  const height = 70 + bars.length * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LEFT + WIDTH + 60} ${height}" font-family="sans-serif" font-size="13">
<style>.ours{fill:#2f7d5b}.bare{fill:#b9c4be}.name{text-anchor:end}text{fill:#3a4540}</style>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="22">ours (green) and bare writes (grey); plain Socket.IO = 1</text>
${rows.join('\n')}
<line x1="${x(1)}" x2="${x(1)}" y1="36" y2="${height - 16}" stroke="#a33" stroke-dasharray="4 3"/>
</svg>
`;
}

function bar(y: number, end: number, kind: string, value: number): string {
  return `<rect class="${kind}" x="${LEFT}" y="${y}" width="${(end - LEFT).toFixed(1)}" height="14"/><text x="${(end + 5).toFixed(1)}" y="${y + 12}">${value.toFixed(2)}</text>`;
}
