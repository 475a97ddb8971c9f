import { request } from 'node:http';
import { ToolMissingError } from '@bambochat/testing';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Edge, type Seen, startEdge } from './edge.fixture.ts';

describe('the edge', () => {
  let edge: Edge;
  let missing: string | null = null;

  beforeAll(async () => {
    try {
      edge = await startEdge();
    } catch (error) {
      if (!(error instanceof ToolMissingError)) {
        throw error;
      }
      missing = error.message;
    }
  }, 60_000);
  beforeEach((context) => {
    if (missing !== null) {
      context.skip(missing);
    }
  });
  afterAll(() => edge?.[Symbol.asyncDispose]());

  /** `fetch` would resolve a path with dots itself. */
  function ask(method: string, path: string, headers: Record<string, string> = {}) {
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = request(edge.url, { method, path, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on('error', reject).end();
    });
  }

  async function seenBy(method: string, path: string, headers?: Record<string, string>) {
    const { status, body } = await ask(method, path, headers);
    expect(status, body).toBe(200);
    return JSON.parse(body) as Seen;
  }

  test.each([
    ['GET', '/messages?conversationId=1&limit=2', 'history-service'],
    ['GET', '/sync?since=x', 'history-service'],
    ['GET', '/api/conversations/0190/messages?cursor=1', 'history-service'],
    ['DELETE', '/api/conversations/0190/messages', 'directory-service'],
    ['GET', '/api/conversations', 'directory-service'],
    ['POST', '/api/auth/login', 'directory-service'],
    ['GET', '/api/health', 'directory-service'],
    ['GET', '/docs', 'directory-service'],
    ['GET', '/docs/static/swagger-ui.css', 'directory-service'],
    ['GET', '/', 'web'],
    ['GET', '/conversations/0190', 'web'],
    ['GET', '/assets/app.js', 'web'],
    ['GET', '/messages/../assets/x', 'web'],
  ])('%s %s is answered by %s, as it was asked', async (method, path, service) => {
    const { replica, url } = await seenBy(method, path);
    expect(replica).toMatch(new RegExp(`^${service}-\\d$`));
    expect(url).toBe(path);
  });

  test.each([
    '/metrics',
    '/readyz',
    '/METRICS',
    '/%6detrics',
    '/api/../metrics',
    '/socket.io/../metrics',
    '//metrics',
  ])('%s shows nobody what is for operators', async (path) => {
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('/healthz is about the edge, the document about all of REST', async () => {
    expect(await ask('GET', '/healthz')).toEqual({ status: 200, body: '{"status":"ok"}' });
    for (const path of ['/openapi.json', '/docs/json']) {
      const { paths } = JSON.parse((await ask('GET', path)).body) as { paths: object };
      expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/messages', '/api/auth/login']));
    }
  });

  test('what a client says about its own address is dropped', async () => {
    const { headers } = await seenBy('GET', '/messages', {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'evil.example',
      'x-real-ip': '203.0.113.9',
      forwarded: 'for=203.0.113.9',
    });
    expect(headers['x-forwarded-for']).toBe('127.0.0.1');
    expect(headers['x-forwarded-host']).not.toContain('evil');
    expect(headers['x-real-ip']).toBeUndefined();
    expect(headers.forwarded).toBeUndefined();
  });

  async function whoAnswers(transports: string[]): Promise<{ replica: string; socket: Socket }> {
    const socket = io(edge.url, { transports, forceNew: true, reconnection: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    return { replica: await socket.timeout(5000).emitWithAck('who'), socket };
  }

  test('WebSockets are spread over the gateways', async () => {
    const connected = [];
    for (let count = 0; count < 6; count += 1) {
      connected.push(await whoAnswers(['websocket']));
    }
    const each = Map.groupBy(connected, ({ replica }) => replica);
    expect([...each.values()].map(({ length }) => length)).toEqual([3, 3]);
    for (const { socket } of connected) {
      socket.disconnect();
    }
  });

  test('long-polling stays on one gateway, also when it becomes a WebSocket', async () => {
    const { replica, socket } = await whoAnswers(['polling', 'websocket']);
    await expect.poll(() => socket.io.engine.transport.name, { timeout: 5000 }).toBe('websocket');
    expect(await socket.timeout(5000).emitWithAck('who')).toBe(replica);
    const polling = await whoAnswers(['polling']);
    expect(await polling.socket.timeout(5000).emitWithAck('who')).toBe(polling.replica);
    for (const one of [socket, polling.socket]) {
      one.disconnect();
    }
  });

  test('a replica that is gone is not noticed', async () => {
    const gone = edge.replicas['history-service-1'];
    gone?.closeAllConnections();
    await new Promise((resolve) => gone?.close(resolve));
    for (let count = 0; count < 10; count += 1) {
      expect((await seenBy('GET', '/messages')).replica).toBe('history-service-2');
    }
  });
});
