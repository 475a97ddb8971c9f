import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** Tells the service worker which files the page consists of: `sw.js`, for a page without a connection. */
export function keepPage(): Plugin {
  return {
    name: 'keep-page',
    apply: 'build',
    generateBundle(_options, bundle) {
      const names = Object.keys(bundle).filter((name) => name.startsWith('assets/'));
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk') {
        this.error('there is no service worker to tell');
      }
      const version = createHash('sha256')
        .update(names.toSorted().join())
        .digest('hex')
        .slice(0, 16);
      const files = ['/favicon.svg', '/manifest.webmanifest', ...names.map((name) => `/${name}`)];
      worker.code = worker.code
        .replaceAll('__PAGE_FILES__', JSON.stringify(files))
        .replaceAll('__PAGE_VERSION__', JSON.stringify(version));
    },
  };
}
