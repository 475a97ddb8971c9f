import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bystanders, bringBystanders } from './bystanders.ts';
import { errorCodes, expectRestError } from './contract-shapes.ts';
import { createGroup, newPeople, type Person } from './person.ts';
import { type RestAnswer, request } from './rest-client.ts';
import type { Target } from './target.ts';

const DEADLINE = 20_000;
const crlf = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;

/** An error that says what the caller did wrong, in the form of the contract. */
function expectRefused(answer: RestAnswer, what: string): void {
  expect({ what, status: answer.status }).toEqual({
    what,
    status: expect.toSatisfy((status: number) => status >= 400 && status < 500),
  });
  expectRestError(answer, answer.status, (answer.body as { code: string }).code);
  expect(errorCodes).toContain((answer.body as { code: string }).code);
}

export function describeBadRequests(target: () => Target): void {
  describe('bad input over REST', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    let bystanders: Bystanders;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'rest', 2)) as [Person, Person];
      conversationId = (await createGroup(ada, [ben]))._id;
      bystanders = await bringBystanders(target());
    });
    afterAll(() => bystanders[Symbol.dispose]());

    const routes = (): [string, string][] => [
      ['POST', '/api/auth/register'],
      ['POST', '/api/auth/login'],
      ['POST', '/api/auth/refresh'],
      ['PUT', '/api/users/profile'],
      ['POST', '/api/conversations'],
      ['POST', `/api/conversations/${conversationId}/participants`],
    ];

    test('bodies that are no object of the contract are refused', async () => {
      const bodies = [
        'null',
        '[]',
        '7',
        'true',
        '"text"',
        '{}',
        '[{"id":"x"}]',
        '{"id":{"$gt":""},"password":{"$gt":""},"email":{"$gt":""}}',
        '{"refreshToken":{"$gt":""},"displayName":{"$gt":""},"type":"group","participantIds":{"$gt":""}}',
        '{"__proto__":{"id":"x"}}',
        '{"constructor":{"prototype":{"id":"x"}}}',
        '{"id":"\\ud800","displayName":"\\ud800","refreshToken":"\\ud800","participantIds":["\\ud800"]}',
        `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
        `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
      ];
      for (const [method, path] of routes()) {
        for (const raw of bodies) {
          const answer = await ada.rest(method, path, { raw });
          expectRefused(answer, `${method} ${path} ${raw.slice(0, 60)}`);
        }
      }
      await bystanders.chat();
    });

    test('what is no JSON is refused', async () => {
      for (const [method, path] of routes()) {
        for (const raw of [
          '{',
          '{"a":}',
          'id=x',
          "{'id':'x'}",
          '\u0000',
          '{"a":1}{"b":2}',
          'NaN',
        ]) {
          expectRefused(await ada.rest(method, path, { raw }), `${method} ${path} ${raw}`);
        }
        expectRefused(await ada.rest(method, path, { raw: '' }), `${method} ${path} without body`);
      }
      const form = await fetch(new URL('/api/auth/login', target().restUrl), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'id=x&password=y',
      });
      expect(form.status).toBeGreaterThanOrEqual(400);
      expect(form.status).toBeLessThan(500);
    });

    test('a body of 10 MB is refused', async () => {
      const raw = JSON.stringify({ id: 'x', password: 'x'.repeat(10 * 1024 * 1024) });
      for (const [method, path] of routes()) {
        // The connection may be closed before all of it was sent.
        const answer = await ada.rest(method, path, { raw }).catch(() => null);
        if (answer !== null) {
          expectRestError(answer, 413, 'TOO_LARGE');
        }
      }
      await bystanders.chat();
    });

    test('ids in paths are data', async () => {
      const ids = [
        'x',
        '%00',
        '..%2f..%2fmessages',
        '%7B%22$gt%22:%22%22%7D',
        '%ED%A0%80',
        '%',
        'x'.repeat(5000),
        `${conversationId}%20`,
        conversationId.toUpperCase(),
      ];
      for (const id of ids) {
        const requests: [string, string, unknown?][] = [
          ['GET', `/api/conversations/${id}/messages`],
          ['POST', `/api/conversations/${id}/participants`, { participantIds: [ben.userId] }],
          ['DELETE', `/api/conversations/${id}/participants/${ben.userId}`],
          ['DELETE', `/api/conversations/${conversationId}/participants/${id}`],
          ['GET', `/api/users/search?id=${id}${'%'.repeat(id === 'x' ? 1 : 0)}`],
        ];
        for (const [method, path, json] of requests) {
          const { status } = await ada.rest(method, path, { json });
          expect({ method, path, status }).toEqual({
            method,
            path,
            status: expect.toSatisfy((code: number) => code < 500),
          });
        }
      }
      expect(await ada.history(conversationId)).toEqual([]);
      const list = await ada.rest('GET', '/api/conversations');
      expect(list.body).toHaveLength(1);
    });

    test('strange Authorization headers are refused', async () => {
      const { accessToken } = ada;
      for (const authorization of [
        'Bearer',
        'Bearer ',
        `Basic ${accessToken}`,
        `Token ${accessToken}`,
        `Bearer ${accessToken} ${accessToken}`,
        `Bearer ${accessToken},Bearer ${accessToken}`,
        `Bearer "${accessToken}"`,
        'Bearer [object Object]',
        `Bearer ${'x'.repeat(10_000)}`,
      ]) {
        const answer = await fetch(new URL('/api/users/me', target().restUrl), {
          headers: { authorization },
        });
        expect({ authorization, status: answer.status }).toEqual({ authorization, status: 401 });
        expect(await answer.json()).toMatchObject({
          code: expect.stringMatching(/^AUTH_(REQUIRED|INVALID)$/),
        });
      }
    });

    test('what is no HTTP is refused, and the server lives on', async () => {
      const host = `Host: ${new URL(target().restUrl).host}`;
      const garbage: [string, string][] = [
        ['no HTTP at all', 'hello there\r\n\r\n'],
        ['binary', '\u0000\u0001\u0002\u00ff'.repeat(50)],
        ['no host', crlf(['GET /messages HTTP/1.1'])],
        ['a strange method', crlf(['BREW /messages HTTP/1.1', host])],
        ['a strange version', crlf(['GET / HTTP/9.9', host])],
        ['a header without end', `GET / HTTP/1.1\r\n${host}\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`],
        [
          'two lengths',
          crlf(['POST /api/auth/login HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 2']),
        ],
        ['a negative length', crlf(['POST /api/auth/login HTTP/1.1', host, 'Content-Length: -1'])],
        [
          'length and chunks',
          `${crlf(['POST /api/auth/login HTTP/1.1', host, 'Content-Length: 4', 'Transfer-Encoding: chunked'])}zz\r\n`,
        ],
        [
          'a broken WebSocket handshake',
          crlf([
            'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
            host,
            'Connection: Upgrade',
            'Upgrade: websocket',
            'Sec-WebSocket-Version: 99',
            'Sec-WebSocket-Key: x',
          ]),
        ],
        [
          'frames that are not masked',
          `${crlf([
            'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
            host,
            'Connection: Upgrade',
            'Upgrade: websocket',
            'Sec-WebSocket-Version: 13',
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          ])}\u0081\u0005hello\u00ff\u00ff\u00ff\u00ff`,
        ],
      ];
      for (const [what, bytes] of garbage) {
        for (const url of new Set([target().restUrl, ...target().socketUrls])) {
          const answer = await sendRaw(url, bytes);
          expect({ what, answer: answer.slice(0, 13) }).toEqual({
            what,
            answer: expect.stringMatching(/^$|^HTTP\/1\.1 (4\d\d|505|101|501)/),
          });
          expect(answer).not.toMatch(/node_modules|\n\s+at /);
        }
      }
      await bystanders.chat();
    });

    test('Engine.IO requests that make no sense are refused, and the server lives on', async () => {
      for (const url of target().socketUrls) {
        for (const query of [
          '',
          '?EIO=3&transport=polling',
          '?EIO=4',
          '?EIO=4&transport=carrier-pigeon',
          '?EIO=4&transport=polling&sid=nobody',
          '?EIO=4&transport=websocket',
          `?EIO=4&transport=polling&sid=${'x'.repeat(2000)}`,
        ]) {
          for (const method of ['GET', 'POST']) {
            const { status } = await request(url, method, `/socket.io/${query}`);
            expect({ query, status }).toEqual({
              query,
              status: expect.toSatisfy((code: number) => code >= 400 && code < 500),
            });
          }
        }
      }
      await bystanders.chat();
    });
  });
}

/** Writes bytes to a TCP connection and gives what comes back until it closes or falls silent. */
function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    let answer = '';
    const socket = connectTcp({ host: hostname, port: Number(port) }, () => {
      socket.write(Buffer.from(bytes, 'latin1'));
      // Our half is done: a server that waits for more learns that there will be none.
      socket.end();
    });
    socket.setTimeout(DEADLINE, () => socket.destroy());
    socket.on('data', (data) => {
      answer = (answer + data.toString('latin1')).slice(0, 10_000);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
