import { once } from 'node:events';
import { connect } from 'node:net';
import { errorCatalogue, restErrorSchema } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import { startEdge } from './edge.ts';
import { comesToRest, deadTarget, fakeTarget, rawRequest, testEdge } from './edge-fixture.ts';

describe('REST through the edge', () => {
  it('reaches the service that the path belongs to', async () => {
    await using history = await fakeTarget('history');
    await using directory = await fakeTarget('directory');
    await using web = await fakeTarget('web');
    await using edge = await testEdge({
      history: [history],
      directory: [directory],
      web: [web],
    });
    const served = async (path: string, method = 'GET') => {
      const answer = await fetch(edge.url + path, { method });
      return ((await answer.json()) as { name: string; url: string }).name;
    };
    expect(await served('/messages?conversationId=x')).toBe('history');
    expect(await served('/sync')).toBe('history');
    expect(await served('/api/conversations/x/messages')).toBe('history');
    expect(await served('/api/conversations')).toBe('directory');
    expect(await served('/api/auth/login', 'POST')).toBe('directory');
    expect(await served('/docs/')).toBe('directory');
    expect(await served('/')).toBe('web');
    expect(await served('/assets/index-1.js')).toBe('web');
  });

  it('passes on path, query, body, status and headers unchanged', async () => {
    await using directory = await fakeTarget('directory', (request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (text: string) => {
        body += text;
      });
      request.on('end', () => {
        response.writeHead(409, { 'content-type': 'application/json', 'x-kept': 'yes' });
        response.end(JSON.stringify({ url: request.url, method: request.method, body }));
      });
    });
    await using edge = await testEdge({ directory: [directory] });
    const answer = await fetch(`${edge.url}/api/users/%2e%2Fx?id=a%26b`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"displayName":"Zoë"}',
    });
    expect(answer.status).toBe(409);
    expect(answer.headers.get('x-kept')).toBe('yes');
    expect(await answer.json()).toEqual({
      url: '/api/users/%2e%2Fx?id=a%26b',
      method: 'PUT',
      body: '{"displayName":"Zoë"}',
    });
  });

  it('takes turns among the replicas', async () => {
    await using one = await fakeTarget('one');
    await using two = await fakeTarget('two');
    await using edge = await testEdge({ history: [one, two] });
    const names: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      names.push(((await (await fetch(`${edge.url}/sync`)).json()) as { name: string }).name);
    }
    expect(names).toEqual(['one', 'two', 'one', 'two']);
  });

  it('says who the client is, whatever the client says', async () => {
    await using directory = await fakeTarget('directory');
    await using edge = await testEdge({ directory: [directory] });
    const answer = await fetch(`${edge.url}/api/users/me`, {
      headers: {
        'x-forwarded-for': '203.0.113.9, 10.0.0.1',
        forwarded: 'for=203.0.113.9',
        'x-real-ip': '203.0.113.9',
        'x-forwarded-host': 'evil.example',
        authorization: 'Bearer kept',
      },
    });
    const { headers } = (await answer.json()) as { headers: Record<string, string> };
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-forwarded-host']).toBe(new URL(edge.url).host);
    expect(headers.authorization).toBe('Bearer kept');
    expect(JSON.stringify(headers)).not.toMatch(/203\.0|evil/);
  });

  it('asks the next replica when one is dead', async () => {
    await using alive = await fakeTarget('alive');
    await using edge = await testEdge({ history: [await deadTarget('dead'), alive] });
    for (let round = 0; round < 3; round += 1) {
      const answer = await fetch(`${edge.url}/sync`);
      expect(((await answer.json()) as { name: string }).name).toBe('alive');
    }
    expect(edge.logged.filter((line) => line.includes('target failed'))).toHaveLength(1);
  });

  it('does not send a POST twice', async () => {
    let posts = 0;
    await using broken = await fakeTarget('broken', (request) => {
      posts += 1;
      request.socket.destroy();
    });
    await using edge = await testEdge({ directory: [broken, broken] });
    const answer = await fetch(`${edge.url}/api/conversations`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(posts).toBe(1);
  });

  it('repeats a GET that a closing connection took with it', async () => {
    let requests = 0;
    await using flaky = await fakeTarget('flaky', (request, response) => {
      requests += 1;
      if (requests === 1) {
        request.socket.destroy();
      } else {
        response.end('second');
      }
    });
    await using edge = await testEdge({ history: [flaky] });
    expect(await (await fetch(`${edge.url}/sync`)).text()).toBe('second');
  });

  it.each([
    ['nobody is alive', []],
    ['the only one is dead', [{ name: 'dead', url: 'http://127.0.0.1:9' }]],
  ])('answers UNAVAILABLE when %s', async (_case, directory) => {
    await using edge = await testEdge({ directory });
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${edge.url}/api/users/me`, { method });
      expect(answer.status).toBe(errorCatalogue.UNAVAILABLE.status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      const body = await answer.text();
      expect(restErrorSchema.parse(JSON.parse(body))).toMatchObject({
        code: 'UNAVAILABLE',
        status: 503,
      });
      expect(body).not.toContain('127.0.0.1');
    }
  });

  it('gives up a service that keeps silent, without asking another one', async () => {
    let asked = 0;
    await using silent = await fakeTarget('silent', () => {
      asked += 1;
    });
    await using edge = await testEdge({ history: [silent, silent] }, { timeouts: { rest: 100 } });
    const answer = await fetch(`${edge.url}/sync`);
    expect(answer.status).toBe(503);
    expect(asked).toBe(1);
  });

  it('breaks the connection when a service breaks off in the middle of its answer', async () => {
    await using half = await fakeTarget('half', (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.destroy());
    });
    await using edge = await testEdge({ history: [half] });
    const answer = await fetch(`${edge.url}/sync`);
    await expect(answer.text()).rejects.toThrow();
  });

  it('aborts the request to the service when the client goes away', async () => {
    const aborted = Promise.withResolvers<void>();
    await using waiting = await fakeTarget('waiting', (_request, response) => {
      response.once('close', () => aborted.resolve());
    });
    await using edge = await testEdge({ history: [waiting] });
    const control = new AbortController();
    const answer = fetch(`${edge.url}/sync`, { signal: control.signal });
    answer.catch(() => {});
    await waitFor(() => waiting.connections.size === 1);
    control.abort();
    await aborted.promise;
    expect(edge.logged).toEqual([]);
  });

  it('holds a fast service back while the client is slow', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    await using fast = await fakeTarget('fast', (_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const fill = () => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', fill);
            return;
          }
        }
        response.end();
      };
      fill();
    });
    await using edge = await testEdge({ history: [fast] });
    const { hostname, port } = new URL(edge.url);
    const slow = connect(Number(port), hostname).pause();
    slow.write('GET /sync HTTP/1.1\r\nhost: x\r\n\r\n');
    // What the kernel's buffers take on the way is a few MB; the rest has to wait.
    await comesToRest(() => written);
    expect(written).toBeLessThan(total / 2);
    let received = 0;
    slow.on('data', (data: Buffer) => {
      received += data.length;
    });
    slow.resume();
    await waitFor(() => received > total, { timeout: 20_000 });
    slow.destroy();
  });
});

describe('the edge itself', () => {
  it('answers health and readiness', async () => {
    await using target = await fakeTarget('gateway');
    await using ready = await testEdge({ gateways: [target] });
    await using unready = await testEdge({});
    expect(await (await fetch(`${ready.url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect((await fetch(`${ready.url}/readyz`)).status).toBe(200);
    const answer = await fetch(`${unready.url}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({
      ready: false,
      checks: { gateways: 'failed' },
      draining: false,
    });
  });

  it.each([
    '/',
    '/metrics',
    '/messages/../metrics',
    '/api/../../metrics/../metrics/x/../..',
    '//metrics',
    'http://127.0.0.1/metrics',
  ])('does not let %s reach the metrics of a service', async (path) => {
    await using service = await fakeTarget('service', (request, response) => {
      response.end(request.url === '/metrics' ? 'secret' : 'other');
    });
    await using edge = await testEdge({
      gateways: [service],
      history: [service],
      directory: [service],
    });
    expect((await rawRequest(edge.url, path)).body).not.toBe('secret');
  });

  it('answers TOO_LARGE to a body that no service would take, and does not pass it on', async () => {
    await using directory = await fakeTarget('directory');
    await using edge = await testEdge({ directory: [directory] });
    let reached = 0;
    directory.server.on('request', () => {
      reached += 1;
    });
    const answer = await fetch(`${edge.url}/api/auth/login`, {
      method: 'POST',
      body: 'x'.repeat(10_000_000),
    });
    expect(answer.status).toBe(413);
    expect(restErrorSchema.parse(await answer.json()).code).toBe('TOO_LARGE');
    expect(reached).toBe(0);
  });

  it('stops a body without a declared length where it becomes too large', async () => {
    await using directory = await fakeTarget('directory');
    await using edge = await testEdge({ directory: [directory] });
    const { hostname, port } = new URL(edge.url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    socket.on('error', () => {});
    socket.write(
      'POST /api/auth/login HTTP/1.1\r\nhost: edge\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    for (let count = 0; count < 5; count += 1) {
      socket.write(chunk);
    }
    await waitFor(() => received.includes('"TOO_LARGE"'));
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    await waitFor(() => socket.destroyed);
  });

  it('answers NOT_FOUND where there is no route', async () => {
    await using edge = await testEdge({});
    const answer = await fetch(`${edge.url}/metrics`);
    expect(answer.status).toBe(errorCatalogue.NOT_FOUND.status);
    expect(restErrorSchema.parse(await answer.json()).code).toBe('NOT_FOUND');
  });

  it('answers VALIDATION to what is not HTTP', async () => {
    await using edge = await testEdge({});
    const { hostname, port } = new URL(edge.url);
    const socket = connect(Number(port), hostname).setEncoding('utf8');
    let text = '';
    socket.on('data', (data: string) => {
      text += data;
    });
    socket.write('nonsense\r\n\r\n');
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(restErrorSchema.parse(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).code).toBe(
      'VALIDATION',
    );
  });

  it('merges the API documents of both services', async () => {
    const document = (title: string, path: string) =>
      JSON.stringify({
        openapi: '3.1.1',
        info: { title, version: '0.1.0', description: `${title}.` },
        components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
        paths: { [path]: { get: { tags: [title] } } },
      });
    await using history = await fakeTarget('history', (_request, response) =>
      response.end(document('history', '/messages')),
    );
    await using directory = await fakeTarget('directory', (_request, response) =>
      response.end(document('directory', '/api/users/me')),
    );
    await using edge = await testEdge({ history: [history], directory: [directory] });
    for (const path of ['/openapi.json', '/docs/json']) {
      const merged = (await (await fetch(edge.url + path)).json()) as Record<string, object>;
      expect(Object.keys(merged.paths ?? {}).sort()).toEqual(['/api/users/me', '/messages']);
      expect(merged.components).toEqual({
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      });
    }
    await history.stop();
    expect((await fetch(`${edge.url}/openapi.json`)).status).toBe(503);
  });

  it('rejects when the port is taken', async () => {
    await using edge = await testEdge({});
    const none = () => [];
    await expect(
      startEdge({
        host: '127.0.0.1',
        port: Number(new URL(edge.url).port),
        targets: { gateways: none, history: none, directory: none, web: none },
        readiness: () => ({ ready: false, checks: {}, draining: false }),
        // Never used: it does not come that far.
        logger: (await import('pino')).pino({ enabled: false }),
      }),
    ).rejects.toThrow(/EADDRINUSE/);
  });

  it('lets open requests finish when it stops accepting', async () => {
    const release = Promise.withResolvers<void>();
    await using slow = await fakeTarget('slow', (_request, response) => {
      void release.promise.then(() => response.end('done'));
    });
    await using edge = await testEdge({ history: [slow] });
    const answer = fetch(`${edge.url}/sync`);
    await waitFor(() => slow.connections.size === 1);
    edge.stopAccepting();
    await expect(fetch(`${edge.url}/healthz`)).rejects.toThrow();
    release.resolve();
    expect((await answer).headers.get('connection')).toBe('close');
    expect(await (await answer).text()).toBe('done');
  });
});
