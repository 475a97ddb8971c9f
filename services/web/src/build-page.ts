/**
 * Makes `dist/`: the page by Vite, each file also compressed (`.br`, `.gz`) so that no server does it
 * again for every visitor, and `.sources`, which says what it was made of.
 *
 *   node src/build-page.ts               builds
 *   node src/build-page.ts --when-stale  builds unless it is already made of the present sources
 *
 * The page is made beside and then put in its place: who is served meanwhile gets whole files.
 */
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { builtPage } from './built-page.ts';
import { digestOfSources } from './page-sources.ts';

const package_ = fileURLToPath(new URL('..', import.meta.url));
const noteIn = (folder: string) => join(folder, '.sources');
/** Smaller ones and what is compressed already are sent as they are. */
const COMPRESS_FROM_BYTES = 1024;
const compressible = /\.(html|js|css|svg|json|webmanifest|txt)$/;

const { values } = parseArgs({ options: { 'when-stale': { type: 'boolean', default: false } } });
const digest = await digestOfSources();
if (!values['when-stale'] || (await builtFrom()) !== digest) {
  process.stdout.write('Building the web client\n');
  await buildPage();
}

async function builtFrom(): Promise<string | null> {
  return readFile(noteIn(builtPage), 'utf8').catch(() => null);
}

async function buildPage(): Promise<void> {
  const fresh = join(package_, 'node_modules', `.page-${process.pid}`);
  try {
    // Only now: it takes longer to load than to find out that nothing is to be done.
    const { build } = await import('vite');
    await build({ root: package_, logLevel: 'warn', build: { outDir: fresh, emptyOutDir: true } });
    await compress(fresh);
    await writeFile(noteIn(fresh), digest);
    await rm(builtPage, { recursive: true, force: true });
    await rename(fresh, builtPage);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function compress(folder: string): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  await Promise.all(
    files
      .filter((file) => file.isFile() && compressible.test(file.name))
      .map(async ({ parentPath, name }) => {
        const path = join(parentPath, name);
        const content = await readFile(path);
        if (content.length < COMPRESS_FROM_BYTES) {
          return;
        }
        const [br, gz] = await Promise.all([
          promisify(brotliCompress)(content, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
            },
          }),
          promisify(gzip)(content, { level: constants.Z_BEST_COMPRESSION }),
        ]);
        await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
      }),
  );
}
