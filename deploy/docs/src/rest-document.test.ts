import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { restDocument } from './rest-document.ts';

interface Operation {
  tags?: string[];
  summary?: string;
  security?: unknown[];
  responses: Record<string, { content?: Record<string, { schema?: object }> }>;
}
type Paths = Record<string, Record<string, Operation>>;

const { paths, openapi } = JSON.parse(await restDocument()) as { paths: Paths; openapi: string };
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    path,
    operation,
  })),
);

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    expect(openapi).toMatch(/^3\.1\./);
    const result = await new Validator().validate(JSON.parse(await restDocument()));
    expect(result.errors).toBeUndefined();
    expect(result.valid).toBe(true);
  });

  test('has every route of the contract', () => {
    expect(operations.map(({ route }) => route)).toEqual(
      expect.arrayContaining([
        'GET /messages',
        'GET /sync',
        'GET /api/conversations/{id}/messages',
        'POST /api/auth/register',
        'POST /api/auth/login',
        'POST /api/auth/refresh',
        'POST /api/auth/logout',
        'GET /api/users/search',
        'GET /api/users/me',
        'PUT /api/users/profile',
        'GET /api/friends',
        'GET /api/friends/requests/pending',
        'GET /api/friends/requests/sent',
        'POST /api/friends/requests',
        'PUT /api/friends/requests/{id}',
        'DELETE /api/friends/{userId}',
        'POST /api/conversations',
        'GET /api/conversations',
        'POST /api/conversations/{id}/participants',
        'DELETE /api/conversations/{id}/participants/{userId}',
        'GET /api/health',
      ]),
    );
  });

  test.each(operations)('$route: summary, a described answer, a token', ({ path, operation }) => {
    expect(operation.summary).toBeTruthy();
    expect(operation.tags).toHaveLength(1);
    const success = Object.entries(operation.responses).filter(([status]) => status < '300');
    expect(success.length).toBeGreaterThan(0);
    for (const [status, response] of success) {
      if (status !== '204') {
        expect(response.content?.['application/json']?.schema).toBeTypeOf('object');
      }
    }
    const isOpen = path.startsWith('/api/auth/') || path === '/api/health';
    if (!isOpen) {
      expect(operation.security).toEqual([{ bearer: [] }]);
    }
  });
});
