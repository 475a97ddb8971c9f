import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { unavailable } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startRestFixture } from './rest-fixture.ts';

describe('answers to bad requests', () => {
  it('names the field that is wrong', async () => {
    await using fixture = await startRestFixture();
    const post = (url: string, payload: object) =>
      fixture.app.inject({ method: 'POST', url, payload });
    const answer = await post('/things/a', { names: ['ok', 'not ok!'] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toEqual({
      message: 'names.1: must be 1 to 50 characters of A-Z a-z 0-9 _ . -',
      code: 'VALIDATION',
      status: 400,
    });
    expect((await post('/things/a', {})).json().message).toMatch(/^names: /);
    expect((await post('/things/a', [])).json().message).toMatch(/^body: /);
    expect((await post('/things/a%20b', { names: [] })).json().message).toMatch(/^id: /);
    expect((await post('/things/a?dry=perhaps', { names: [] })).json().message).toMatch(/^dry: /);
    const many = await post('/things/a', { names: Array.from({ length: 50 }, () => '') });
    expect(many.json().message.length).toBeLessThan(500);
  });

  it.each([
    ['malformed JSON', '{"names":', 'application/json', 400, 'VALIDATION'],
    ['no body', '', 'application/json', 400, 'VALIDATION'],
    ['null', 'null', 'application/json', 400, 'VALIDATION'],
    [
      'a poisoned prototype',
      '{"names":[],"__proto__":{"x":1}}',
      'application/json',
      400,
      'VALIDATION',
    ],
    [
      'a poisoned constructor',
      '{"names":[],"constructor":{"prototype":{"x":1}}}',
      'application/json',
      400,
      'VALIDATION',
    ],
    ['plain text', 'hello', 'text/plain', 400, 'VALIDATION'],
    ['a form', 'names=a', 'application/x-www-form-urlencoded', 400, 'VALIDATION'],
    [
      'too much',
      JSON.stringify({ names: [], note: 'x'.repeat(65_536) }),
      'application/json',
      413,
      'TOO_LARGE',
    ],
    ['10 MB', 'x'.repeat(10_000_000), 'application/json', 413, 'TOO_LARGE'],
  ])('%s', async (_what, payload, contentType, status, code) => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/things/a',
      headers: { 'content-type': contentType },
      payload,
    });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ message: expect.any(String), code, status });
    expect(Object.prototype).not.toHaveProperty('x');
  });

  it.each([
    ['GET', '/nothing-here', 404, 'NOT_FOUND'],
    ['DELETE', '/me', 404, 'NOT_FOUND'],
    ['GET', '/%', 400, 'VALIDATION'],
    ['GET', '/%c0%ae', 400, 'VALIDATION'],
    ['POST', `/things/${'x'.repeat(5000)}`, 404, 'NOT_FOUND'],
  ] as const)('%s %s', async (method, url, status, code) => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject({ method, url });
    expect(answer.json()).toEqual({ message: expect.any(String), code, status });
    expect(answer.statusCode).toBe(status);
  });

  it('never answers 500 to a garbage body', async () => {
    await using fixture = await startRestFixture();
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string({ unit: 'binary' })), async (payload) => {
        const answer = await fixture.app.inject({
          method: 'POST',
          url: '/things/a',
          headers: { 'content-type': 'application/json' },
          payload,
        });
        expect(answer.statusCode).toBe(400);
      }),
      { numRuns: 100 },
    );
  });
});

describe('errors of handlers', () => {
  it.each([
    ['/conflict', 409, 'CONFLICT', 'Taken'],
    ['/unavailable', 503, 'UNAVAILABLE', 'Later'],
    ['/bug', 500, 'INTERNAL', 'Internal error'],
    ['/thrown-text', 500, 'INTERNAL', 'Internal error'],
    ['/null', 500, 'INTERNAL', 'Internal error'],
    ['/unfit-answer', 500, 'INTERNAL', 'Internal error'],
    ['/open', 500, 'INTERNAL', 'Internal error'],
  ])('%s', async (url, status, code, message) => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject(url);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ message, code, status });
    expect(answer.headers['retry-after']).toBeUndefined();
  });

  it('keeps the real error for the log', async () => {
    await using fixture = await startRestFixture();
    await fixture.app.inject('/bug');
    expect(fixture.log()).toContain('ECONNREFUSED');
  });

  it('says in whole seconds when to come back', async () => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject('/limited');
    expect(answer.statusCode).toBe(429);
    expect(answer.headers['retry-after']).toBe('2');
  });

  it('sends nothing that the answer schema does not name', async () => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject({
      method: 'POST',
      url: '/things/a',
      payload: { names: ['b'], extra: 1 },
    });
    expect(answer.json()).toEqual({ names: ['b'] });
  });
});

describe('users', () => {
  it('knows who asks, and answers 401 otherwise', async () => {
    await using fixture = await startRestFixture();
    const ask = async (authorization?: string) =>
      (
        await fixture.app.inject({
          url: '/me',
          headers: authorization === undefined ? {} : { authorization },
        })
      ).json();
    expect(await ask(`Bearer ${fixture.tokenOf('alice')}`)).toEqual({ userId: 'alice' });
    const required = { message: 'Authentication required', code: 'AUTH_REQUIRED', status: 401 };
    expect(await ask()).toEqual(required);
    expect(await ask('Basic YTpi')).toEqual(required);
    const message = 'Invalid or expired token';
    expect(await ask('Bearer nonsense')).toEqual({ message, code: 'AUTH_INVALID', status: 401 });
    expect(await ask(`Bearer ${fixture.expiredTokenOf('alice')}`)).toEqual({
      message,
      code: 'AUTH_EXPIRED',
      status: 401,
    });
  });

  it('refuses tokens of a session that has ended, within a second, and says so when it cannot know', async () => {
    const live = new Set<string>();
    let asked = 0;
    let reachable = true;
    await using fixture = await startRestFixture({
      isSessionLive: async (sessionId) => {
        asked += 1;
        if (!reachable) {
          throw unavailable('MongoDB');
        }
        return live.has(sessionId);
      },
    });
    const token = fixture.tokenOf('alice');
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      sid: string;
    };
    live.add(sid);
    const ask = async () =>
      (await fixture.app.inject({ url: '/me', headers: { authorization: `Bearer ${token}` } }))
        .statusCode;
    expect([await ask(), await ask(), await ask()]).toEqual([200, 200, 200]);
    expect(asked).toBe(1);
    live.delete(sid);
    await waitFor(async () => (await ask()) === 401, { timeout: 5000 });
    // What is over is not remembered: nothing could fill the memory with it.
    live.add(sid);
    expect(await ask()).toBe(200);
    reachable = false;
    await waitFor(async () => (await ask()) === 503, { timeout: 5000 });
  });

  it('asks for the token before it reads the body', async () => {
    await using fixture = await startRestFixture();
    const answer = await fixture.app.inject({
      method: 'GET',
      url: '/me',
      headers: { 'content-type': 'application/json' },
      payload: '{"broken',
    });
    expect(answer.statusCode).toBe(401);
  });
});

describe('browsers of other origins', () => {
  const ask = (app: Awaited<ReturnType<typeof startRestFixture>>['app'], origin: string) =>
    app.inject({
      method: 'OPTIONS',
      url: '/things/a',
      headers: { origin, 'access-control-request-method': 'POST' },
    });

  it('may use the service where nothing else is said', async () => {
    await using fixture = await startRestFixture();
    const answer = await ask(fixture.app, 'https://chat.example');
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-headers']).toContain('authorization');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('may only if they are listed', async () => {
    await using fixture = await startRestFixture({ allowedOrigins: ['https://chat.example'] });
    const allowed = await ask(fixture.app, 'https://chat.example');
    const refused = await ask(fixture.app, 'https://evil.example');
    expect(allowed.headers['access-control-allow-origin']).toBe('https://chat.example');
    expect(refused.headers['access-control-allow-origin']).not.toBe('https://evil.example');
  });
});

describe('privacy and operations', () => {
  it('logs the route and neither query, body, path nor token', async () => {
    await using fixture = await startRestFixture();
    const token = fixture.tokenOf('alice');
    await fixture.app.inject({
      method: 'POST',
      url: '/things/personal-id?dry=personal-query',
      headers: { authorization: `Bearer ${token}` },
      payload: { names: ['personal-name'] },
    });
    expect(fixture.log()).toContain('"route":"/things/:id"');
    expect(fixture.log()).not.toMatch(/personal/);
    expect(fixture.log()).not.toContain(token);
  });

  it('measures by route pattern, with few labels whatever is asked', async () => {
    await using fixture = await startRestFixture();
    await fixture.app.inject('/a-path-nobody-has');
    await fixture.app.inject('/me');
    const { body } = await fixture.metrics.render();
    expect(body).toMatch(
      /bambochat_http_request_duration_seconds_count\{[^}]*route="\/me"[^}]*\} 1/,
    );
    expect(body).toMatch(/_count\{[^}]*route="unmatched"[^}]*status="404"[^}]*\} 1/);
    expect(body).not.toContain('a-path-nobody-has');
  });

  it('takes the address of a client only from a proxy that it trusts', async () => {
    const headers = { 'x-forwarded-for': '203.0.113.9' };
    await using direct = await startRestFixture();
    expect((await direct.app.inject({ url: '/ip', headers })).json().ip).toBe('127.0.0.1');
    await using proxied = await startRestFixture({ trustProxy: 'loopback' });
    expect((await proxied.app.inject({ url: '/ip', headers })).json().ip).toBe('203.0.113.9');
  });

  it('serves the operators', async () => {
    await using fixture = await startRestFixture();
    expect((await fixture.app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await fixture.app.inject('/readyz')).statusCode).toBe(200);
    expect((await fixture.app.inject('/metrics')).headers['content-type']).toMatch(/text\/plain/);
  });
});

describe('documentation', () => {
  it('is OpenAPI 3.1 of the tagged routes, from their schemas', async () => {
    await using fixture = await startRestFixture();
    const document = (await fixture.app.inject('/openapi.json')).json();
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(document.paths)).toEqual(['/things/{id}', '/me']);
    const body = document.paths['/things/{id}'].post.requestBody.content['application/json'].schema;
    expect(body.properties.names.type).toBe('array');
    expect(document.paths['/me'].get.security).toEqual([{ bearer: [] }]);
    expect(document.components.securitySchemes.bearer.scheme).toBe('bearer');
  });

  it('renders with assets and a policy of its own', async () => {
    await using fixture = await startRestFixture();
    const page = await fixture.app.inject('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    const assets = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    );
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/docs\/static\//);
      expect((await fixture.app.inject(asset)).statusCode, asset).toBe(200);
    }
    expect(page.body).not.toMatch(/<script(?![^>]*src=)/);
    expect((await fixture.app.inject('/docs/json')).json().info.title).toBe('Test');
  });

  it('gives every other answer a policy that allows nothing', async () => {
    await using fixture = await startRestFixture();
    const { headers } = await fixture.app.inject('/me');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

describe('on a real port', () => {
  it('answers, also to what is not HTTP', async () => {
    await using fixture = await startRestFixture();
    const url = await fixture.app.listen({ host: '127.0.0.1', port: 0 });
    const answer = await fetch(`${url}/me`, {
      headers: { authorization: `Bearer ${fixture.tokenOf('alice')}` },
    });
    expect(await answer.json()).toEqual({ userId: 'alice' });

    const large = await fetch(`${url}/things/a`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: 'x'.repeat(100_000),
    });
    expect(await large.json()).toMatchObject({ code: 'TOO_LARGE', status: 413 });

    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('not http at all\r\n\r\n');
    const raw = await text(socket);
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    expect(raw).toContain('"code":"VALIDATION"');
    expect(fixture.app.server.maxConnections).toBe(10_000);
  });
});
