import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { documents, pathOf } from './documents.ts';

/** `npm run docs`: writes every generated document anew. */
for (const document of documents) {
  const path = pathOf(document);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await document.generate());
  process.stdout.write(`generated/${document.name}\n`);
}
