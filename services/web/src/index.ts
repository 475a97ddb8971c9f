import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Service } from '@bambochat/runtime';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { builtPage, requirePage } from './built-page.ts';
import { clientPaths } from './client-paths.ts';
import { pageHeaders } from './page-headers.ts';

/**
 * Serves the built page: `/assets/*`, whose names are made of their content, for good; the page itself
 * (`/` and the other paths of `clientPaths`) and what else lies beside it, such as its icon, asked for
 * anew each time. Stateless, needs nobody. All other paths are left to the application that it is put
 * on, and so are the headers of their answers.
 *
 * @param options.folder where the built page is; default: where the build puts it
 */
export function createWebService(options: { app: FastifyInstance; folder?: string }): Service {
  const { app, folder = builtPage } = options;
  return {
    /** @throws ConfigError when the page has not been built. */
    async start() {
      await requirePage(folder);
      await app.register(servePage, { folder, beside: await filesBeside(folder) });
    },
    // The application that the page lives on finishes its requests when it closes.
    async drain() {},
    async stop() {},
  };
}

const servePage: FastifyPluginAsync<{ folder: string; beside: string[] }> = async (
  app,
  options,
) => {
  const { folder, beside } = options;
  // After those of the application, which allow nothing: these are the page's own.
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(pageHeaders);
  });
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    index: false,
    preCompressed: true,
    immutable: true,
    maxAge: '1y',
    schemaHide: true,
  });
  const serve = (path: string, file: string) =>
    app.get(path, { schema: { hide: true } }, (_request, reply) => {
      reply.header('cache-control', 'no-cache');
      return reply.sendFile(file, folder, { cacheControl: false });
    });
  for (const path of clientPaths) {
    serve(path, 'index.html');
  }
  for (const file of beside) {
    serve(`/${file}`, file);
  }
};

async function filesBeside(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /^\w[\w-]*\.\w+$/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => name !== 'index.html');
}
