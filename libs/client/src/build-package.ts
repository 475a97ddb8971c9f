/**
 * Makes `dist/`, a package of its own: what is packed and published.
 *
 * - `package.json`: ours, with the built files in place of the sources
 * - `index.js`: the ES module for Node and for bundlers; imports the two dependencies
 * - `browser.min.js`: the same with everything in it, for `<script type="module">`
 * - `terminal-chat.js`: the command `bambochat-chat`
 * - `*.d.ts`: types, without a word of `@bambochat/protocol`
 *
 * With an argument: there instead.
 *
 * Fails when something of Node gets into what browsers load. Prints the sizes.
 */
import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build, type Plugin } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = resolve(process.argv[2] ?? join(root, 'dist'));

/** The command loads the library that lies beside it, instead of having a copy inside. */
const besideLibrary: Plugin = {
  name: 'beside-library',
  resolveId: (id) => (id === './index.ts' ? { id: './index.js', external: true } : null),
};

await rm(dist, { recursive: true, force: true });
await bundle('index', 'neutral');
const browser = await bundle('browser', 'browser');
await bundle('terminal-chat', 'node');
await declareTypes();
await describePackage();

const foreign = browser.imports.filter((name) => isBuiltin(name) || isPackage(name));
if (foreign.length > 0) {
  throw new Error(`the browser build imports ${foreign.join(', ')}`);
}
for (const name of ['index.js', 'browser.min.js']) {
  const code = await readFile(join(dist, name));
  const sizes = `${code.length} bytes, ${gzipSync(code, { level: 9 }).length} gzip`;
  process.stdout.write(`dist/${name}: ${sizes}\n`);
}

function isPackage(id: string): boolean {
  return /^[^./]/.test(id);
}

async function bundle(
  name: 'index' | 'browser' | 'terminal-chat',
  platform: 'neutral' | 'browser' | 'node',
): Promise<{ imports: string[] }> {
  const minified = name === 'browser';
  const { output } = await build({
    input: join(root, 'src', name === 'browser' ? 'index.ts' : `${name}.ts`),
    platform,
    ...(minified ? {} : { external: isPackage }),
    plugins: name === 'terminal-chat' ? [besideLibrary] : [],
    logLevel: 'warn',
    transform: { target: 'es2022' },
    output: {
      file: join(dist, minified ? 'browser.min.js' : `${name}.js`),
      format: 'esm',
      minify: minified,
    },
  });
  const [chunk] = output;
  return { imports: [...chunk.imports, ...chunk.dynamicImports] };
}

/** npm takes `exports` as they are, and in the workspace they lead to the sources. */
async function describePackage(): Promise<void> {
  const own = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const types = './index.d.ts';
  const published = {
    name: own.name,
    version: own.version,
    description: own.description,
    type: own.type,
    sideEffects: own.sideEffects,
    exports: {
      '.': { types, default: './index.js' },
      './browser': { types, default: './browser.min.js' },
    },
    bin: { 'bambochat-chat': './terminal-chat.js' },
    engines: { node: '>=22' },
    dependencies: own.dependencies,
  };
  await writeFile(join(dist, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  await copyFile(join(root, 'README.md'), join(dist, 'README.md'));
}

async function declareTypes(): Promise<void> {
  const tsc = join(
    dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
    'bin/tsc',
  );
  await promisify(execFile)(process.execPath, [
    tsc,
    '-p',
    join(root, 'tsconfig.build.json'),
    '--outDir',
    dist,
  ]);
  for (const name of await readdir(dist)) {
    if (name.endsWith('.d.ts')) {
      const path = join(dist, name);
      const text = await readFile(path, 'utf8');
      await writeFile(path, text.replaceAll(/(['"]\.\/[\w-]+)\.ts(['"])/g, '$1.js$2'));
      if (/['"]@bambochat\//.test(text)) {
        throw new Error(`${name} names a package that is not published`);
      }
    }
  }
}
