import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Engines, startDirectory } from './directory-fixture.ts';

const hostile = [
  { $gt: '' },
  { $ne: null },
  [],
  [{ $gt: '' }],
  0,
  -1,
  1e308,
  null,
  true,
  '',
  '\u0000',
  '\ud800',
  '🐼'.repeat(300),
  'x'.repeat(10_000),
  { __proto__: null, length: 5 },
];

const routes = [
  ['POST', '/api/auth/register', ['id', 'email', 'password']],
  ['POST', '/api/auth/login', ['id', 'password']],
  ['POST', '/api/auth/refresh', ['refreshToken']],
  ['POST', '/api/auth/logout', ['refreshToken']],
  ['PUT', '/api/users/profile', ['displayName', 'bio']],
  ['POST', '/api/conversations', ['type', 'name', 'participantIds']],
  [
    'POST',
    '/api/conversations/01890000-0000-7000-8000-000000000000/participants',
    ['participantIds'],
  ],
  ['POST', '/api/friends/requests', ['addresseeId']],
  ['PUT', '/api/friends/requests/01890000-0000-7000-8000-000000000000', ['action']],
] as const;

/** Whatever comes: a clear error, never a 500. */
export function badInputContract(engines: () => Engines): void {
  describe('bad input', () => {
    it.each(routes)('%s %s', async (method, url, fields) => {
      await using fixture = await startDirectory(engines());
      const as = await fixture.addUser('fuzz');
      const value = fc.oneof(
        fc.constantFrom(...hostile),
        fc.string({ unit: 'binary' }),
        fc.jsonValue(),
      );
      const body = fc.oneof(
        fc.record(Object.fromEntries(fields.map((field) => [field, value])), { requiredKeys: [] }),
        value,
      );
      await fc.assert(
        fc.asyncProperty(body, async (payload) => {
          const text = JSON.stringify(payload) ?? '';
          const answer = await fixture.request(method, url, { as, payload: text });
          expect(answer.status, text).toBeLessThan(500);
          if (answer.status >= 400) {
            expect(answer.body).toEqual({
              message: expect.any(String),
              code: expect.any(String),
              status: answer.status,
            });
          }
        }),
        { numRuns: 60 },
      );
    });

    it('names the field where an operator of the database stands', async () => {
      await using fixture = await startDirectory(engines());
      for (const [method, url, fields] of routes) {
        const as = await fixture.addUser('fuzz');
        for (const field of fields) {
          const good = { type: 'group', participantIds: [as], id: 'a', email: 'a@b.org' };
          const payload = { ...good, password: 'long enough', [field]: { $gt: '' } };
          const answer = await fixture.request(method, url, { as, payload });
          expect(answer.status, `${url} ${field}`).toBe(400);
          expect(answer.body.message).toMatch(new RegExp(`^${field}: `));
        }
      }
    });

    it.each([
      ['a poisoned prototype', '{"id":"a","password":"b","__proto__":{"isAdmin":true}}', 400],
      ['10 MB', `"${'x'.repeat(10_000_000)}"`, 413],
      ['half a document', '{"id":', 400],
      [
        'a lone surrogate',
        '{"id":"\\ud800","email":"a@b.org","password":"\\ud800 long enough"}',
        400,
      ],
      ['nothing', '', 400],
    ])('%s', async (_what, payload, status) => {
      await using fixture = await startDirectory(engines());
      const answer = await fixture.request('POST', '/api/auth/register', { payload });
      expect(answer.status).toBe(status);
      expect({}).not.toHaveProperty('isAdmin');
    });

    it('in paths and queries', async () => {
      await using fixture = await startDirectory(engines());
      const as = await fixture.addUser('fuzz');
      for (const [method, url] of [
        ['GET', '/api/users/search?id[$gt]='],
        ['GET', '/api/users/search?id=a&id=b'],
        ['GET', '/api/users/search?id=%00'],
        ['GET', '/api/users/search'],
        ['GET', '/api/conversations?limit=1e9'],
        ['DELETE', '/api/conversations/%00/participants/a'],
        ['DELETE', '/api/conversations/__proto__/participants/constructor'],
        ['DELETE', `/api/conversations/${'x'.repeat(90)}/participants/a`],
        ['GET', '/api/friends/requests/pending?limit=1001'],
        ['GET', '/api/friends/requests/sent?offset=-1'],
        ['GET', '/api/friends/blocks?limit=1&limit=2'],
        ['DELETE', '/api/friends/%00'],
        ['DELETE', `/api/friends/blocks/${'x'.repeat(51)}`],
        ['PUT', '/api/friends/blocks/a%20b'],
        ['PUT', '/api/friends/requests/__proto__'],
      ] as const) {
        const answer = await fixture.request(method, url, { as });
        expect(answer.status, url).toBe(400);
        expect(answer.body.code).toBe('VALIDATION');
      }
    });
  });
}
