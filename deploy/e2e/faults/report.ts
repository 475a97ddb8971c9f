import type { FaultResult } from './run-fault.ts';
import { holds } from './run-fault.ts';

/** `{"faults":[…]}` with the fields that programs may rely on. */
export function jsonReport(results: readonly FaultResult[]): string {
  return JSON.stringify({
    faults: results.map(({ evidence, violations, ...figures }) => figures),
  });
}

const columns = ['#', 'fault', 'sent', 'confirmed', 'stored', 'lost', 'doubled', 'disorder'];

/** The table for people. */
export function tableReport(results: readonly FaultResult[]): string {
  const rows = [[...columns, 'recovery', ''], ...results.map(rowOf)];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 1 || column === row.length - 1
            ? cell.padEnd(widths?.[column] ?? 0)
            : cell.padStart(widths?.[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The same as a table in Markdown. */
export function markdownReport(results: readonly FaultResult[]): string {
  const lines = results.map((result) => `| ${rowOf(result).join(' | ')} |`);
  const align = columns.map((_, column) => (column === 1 ? '---' : '--:'));
  return [
    `| ${[...columns, 'recovery', 'result'].join(' | ')} |`,
    `| ${[...align, '--:', '---'].join(' | ')} |`,
    ...lines,
  ].join('\n');
}

function rowOf(result: FaultResult): string[] {
  const { id, name, sent, confirmed, stored, lost, duplicated, reordered, recoveryMs } = result;
  if (result.skipped !== undefined) {
    return [String(id), name, '', '', '', '', '', '', '', `skipped: ${result.skipped}`];
  }
  return [
    ...[id, name, sent, confirmed, stored, lost, duplicated, reordered].map(String),
    recoveryMs === null ? '-' : `${(recoveryMs / 1000).toFixed(1)} s`,
    holds(result) ? 'holds' : result.converged ? 'BROKEN' : 'NOT CONVERGED',
  ];
}
