import { readFileSync } from 'node:fs';

/** A script's file, and the name under which the connection knows it. */
const bodies = {
  presenceReport: 'report',
  presenceSweep: 'sweep',
  presenceClaim: 'claim',
  presenceCommit: 'commit',
  presenceRelease: 'release',
  presenceLocate: 'locate',
  presenceDeclareLost: 'declare-lost',
  presenceSettle: 'settle',
  presenceSize: 'size',
} as const;

export type PresenceScript = keyof typeof bodies;

/** Every script runs as a whole or not at all; its head says which arguments it takes. */
export function readPresenceScripts(): Record<PresenceScript, { lua: string; numberOfKeys: 1 }> {
  const shared = [source('clock'), source('users')];
  const scripts = Object.entries(bodies).map(([name, body]) => [
    name,
    { lua: [...shared, source(body)].join('\n'), numberOfKeys: 1 },
  ]);
  return Object.fromEntries(scripts);
}

function source(name: string): string {
  return readFileSync(new URL(`./presence-scripts/${name}.lua`, import.meta.url), 'utf8');
}
