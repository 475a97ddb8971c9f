import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/**
 * Fails the build when the scripts that the page loads at once, compressed, are larger than this
 * many bytes. What is loaded on demand does not count.
 */
export function limitInitialSize(max: number): Plugin {
  return {
    name: 'limit-initial-size',
    apply: 'build',
    generateBundle(_options, bundle) {
      const initial = new Set<string>();
      const waiting = Object.values(bundle).flatMap((file) =>
        file.type === 'chunk' && file.facadeModuleId?.endsWith('.html') === true
          ? [file.fileName]
          : [],
      );
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const file = bundle[name];
        if (file?.type === 'chunk' && !initial.has(name)) {
          initial.add(name);
          waiting.push(...file.imports);
        }
      }
      const size = [...initial].reduce((sum, name) => {
        const file = bundle[name];
        return sum + (file?.type === 'chunk' ? gzipSync(file.code, { level: 9 }).length : 0);
      }, 0);
      const figures = `${size} of at most ${max} bytes of scripts, compressed`;
      if (size > max) {
        this.error(`the page loads ${figures}`);
      }
      this.info(`the page loads ${figures}`);
    },
  };
}
