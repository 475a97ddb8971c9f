import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenVerifier } from '@bambochat/auth';
import { createRestApp } from '@bambochat/rest';
import { createHealth, createLogger, createMetrics } from '@bambochat/runtime';
import { expect, test } from 'vitest';
import { createWebService } from './index.ts';

const script = 'app-C0ffee42.js';

async function emptyFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bambochat-web-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A page on an application that serves an interface, too, as standalone does. */
async function servePage() {
  const folder = await emptyFolder();
  const assets = join(folder.path, 'assets');
  await mkdir(assets);
  await Promise.all([
    writeFile(join(folder.path, 'index.html'), '<!doctype html><title>page</title>'),
    writeFile(join(folder.path, 'icon.svg'), '<svg/>'),
    writeFile(join(folder.path, '.sources'), 'a note'),
    writeFile(join(assets, script), 'plain'),
    writeFile(join(assets, `${script}.br`), 'as brotli'),
    writeFile(join(assets, `${script}.gz`), 'as gzip'),
  ]);
  const logger = createLogger({ name: 'test', level: 'silent' });
  const app = await createRestApp({
    title: 'Test',
    description: '',
    logger,
    health: createHealth(),
    metrics: createMetrics({ processMetrics: false }),
    verifier: createTokenVerifier({
      JWT_ALGORITHM: 'HS256',
      JWT_SECRET: 'of a test, at least 32 bytes long',
      JWT_ISSUER: 'test',
      JWT_AUDIENCE: 'test',
    }),
  });
  app.get('/api/things', async () => ({ things: [] }));
  await createWebService({ app, folder: folder.path }).start();
  return {
    app,
    async [Symbol.asyncDispose]() {
      await app.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.each([
  '/',
  '/login',
  '/register',
  '/conversations/0199',
  '/friends',
  '/profile',
  '/?from=mail',
])('answers %s with the page, which is asked for anew each time', async (url) => {
  await using server = await servePage();
  const answer = await server.app.inject(url);
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
  expect(answer.headers['cache-control']).toBe('no-cache');
  expect(answer.body).toContain('<title>page</title>');
  const again = await server.app.inject({
    url,
    headers: { 'if-none-match': String(answer.headers.etag) },
  });
  expect(again.statusCode).toBe(304);
});

test('allows the page what lies beside it, and nothing inline or from elsewhere', async () => {
  await using server = await servePage();
  for (const url of ['/', '/friends', '/icon.svg', `/assets/${script}`]) {
    const { headers } = await server.app.inject(url);
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toMatch(/unsafe|\*|https?:/);
    expect(headers).toMatchObject({
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    expect(headers['permissions-policy']).toContain('microphone=()');
  }
});

test('leaves every other answer of the application the policy that allows nothing', async () => {
  await using server = await servePage();
  for (const url of ['/api/things', '/api/nothing', '/nothing', '/openapi.json', '/healthz']) {
    const { headers } = await server.app.inject(url);
    expect(headers['content-security-policy'], url).toBe(
      "default-src 'none';base-uri 'none';frame-ancestors 'none'",
    );
    expect(headers['permissions-policy'], url).toBeUndefined();
  }
  const docs = await server.app.inject('/docs');
  expect(docs.headers['content-security-policy']).toContain("style-src 'self' 'unsafe-inline'");
});

test.each([
  '/api/nothing',
  '/conversations',
  '/conversations/1/2',
  '/friends/',
  '/nothing',
  '/index.html',
  '/.sources',
  '/assets',
  '/assets/',
  '/assets/nothing.js',
  '/assets/%2e%2e/index.html',
  '/assets/..%2f.sources',
])('%s is nobody and answers as the interface does', async (url) => {
  await using server = await servePage();
  const answer = await server.app.inject(url);
  expect([400, 404]).toContain(answer.statusCode);
  expect(answer.json()).toMatchObject({ status: answer.statusCode });
  expect(answer.headers['cache-control'] ?? '').not.toContain('immutable');
});

test('names of assets are made of their content: kept for good, and sent as compressed as can be', async () => {
  await using server = await servePage();
  const ask = (encodings?: string) =>
    server.app.inject({
      url: `/assets/${script}`,
      headers: encodings === undefined ? {} : { 'accept-encoding': encodings },
    });
  const plain = await ask();
  expect(plain.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  expect(plain.headers.vary).toMatch(/accept-encoding/i);
  expect(plain.body).toBe('plain');
  const gzip = await ask('gzip');
  expect([gzip.body, gzip.headers['content-encoding']]).toEqual(['as gzip', 'gzip']);
  const brotli = await ask('gzip, deflate, br, zstd');
  expect([brotli.body, brotli.headers['content-encoding']]).toEqual(['as brotli', 'br']);
  expect(brotli.headers['content-type']).toMatch(/^(text|application)\/javascript/);
});

test('does not start without a page, and says what builds it', async () => {
  await using folder = await emptyFolder();
  await using server = await servePage();
  const service = createWebService({ app: server.app, folder: folder.path });
  await expect(service.start()).rejects.toThrow('npm run build -w @bambochat/web');
});
