import { describe, expect, test } from 'vitest';
import { expectRestError, timestamp } from './contract-shapes.ts';
import { request } from './rest-client.ts';
import type { Target } from './target.ts';

const routes: Record<string, string[]> = {
  '/messages': ['get'],
  '/sync': ['get'],
  '/api/conversations/{id}/messages': ['get'],
  '/api/auth/register': ['post'],
  '/api/auth/login': ['post'],
  '/api/auth/refresh': ['post'],
  '/api/auth/logout': ['post'],
  '/api/users/search': ['get'],
  '/api/users/me': ['get'],
  '/api/users/profile': ['put'],
  '/api/conversations': ['get', 'post'],
  '/api/conversations/{id}/participants': ['post'],
  '/api/conversations/{id}/participants/{userId}': ['delete'],
  '/api/friends': ['get'],
  '/api/friends/{userId}': ['delete'],
  '/api/friends/presence': ['get'],
  '/api/friends/requests': ['post'],
  '/api/friends/requests/pending': ['get'],
  '/api/friends/requests/sent': ['get'],
  '/api/friends/requests/{id}': ['put'],
  '/api/friends/blocks': ['get'],
  '/api/friends/blocks/{userId}': ['put', 'delete'],
  '/api/health': ['get'],
};

export function describeOperations(target: () => Target): void {
  describe('operations', () => {
    test('OpenAPI 3.1 documents list every route of the contract, and are rendered', async () => {
      const documented = new Map<string, Set<string>>();
      for (const url of target().restServiceUrls) {
        const { status, body } = await request(url, 'GET', '/openapi.json');
        expect(status).toBe(200);
        const document = body as { openapi: string; paths: Record<string, object> };
        expect(document.openapi).toMatch(/^3\.1\./);
        for (const [path, methods] of Object.entries(document.paths)) {
          const known = documented.get(path) ?? new Set();
          documented.set(path, new Set([...known, ...Object.keys(methods)]));
        }
        const docs = await fetch(new URL('/docs', url), { signal: AbortSignal.timeout(10_000) });
        expect(docs.status).toBe(200);
        expect(docs.headers.get('content-type')).toContain('text/html');
        expect(await docs.text()).toContain('<html');
      }
      for (const [path, methods] of Object.entries(routes)) {
        expect([...(documented.get(path) ?? [])], path).toEqual(expect.arrayContaining(methods));
      }
    });

    test('health is told without a token', async () => {
      const answer = await request(target().restUrl, 'GET', '/api/health');
      expect(answer.status).toBe(200);
      expect(answer.body).toStrictEqual({
        status: 'OK',
        timestamp: expect.stringMatching(timestamp),
      });
      const ids = target().operationsUrls;
      for (const url of ids) {
        for (const path of ['/healthz', '/readyz', '/metrics']) {
          expect((await request(url, 'GET', path)).status, `${url}${path}`).toBe(200);
        }
      }
    });

    test('an unknown route gets an error of the usual form', async () => {
      for (const [method, path] of [
        ['GET', '/nowhere'],
        ['GET', '/api/nowhere'],
        ['DELETE', '/messages'],
        ['POST', '/api/users/me'],
        ['GET', '/api/../../etc/passwd'],
        ['GET', '/api/conversations/%00/participants'],
      ] as const) {
        const answer = await request(target().restUrl, method, path, { json: undefined });
        expect(answer.status, path).toBeGreaterThanOrEqual(400);
        expect(answer.status, path).toBeLessThan(500);
      }
      expectRestError(await request(target().restUrl, 'GET', '/api/nowhere'), 404, 'NOT_FOUND');
    });
  });
}
