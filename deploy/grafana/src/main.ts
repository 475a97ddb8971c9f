import { writeFile } from 'node:fs/promises';
import { dashboard } from './dashboard.ts';

/** `npm run dashboard` in this folder; `npm run docs` at the root does it too. */
const file = new URL('../dashboards/bambochat.json', import.meta.url);
await writeFile(file, `${JSON.stringify(dashboard(), null, 2)}\n`);
process.stdout.write('deploy/grafana/dashboards/bambochat.json\n');
