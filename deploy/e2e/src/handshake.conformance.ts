import { waitFor } from '@bambochat/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { connect, refusalOf } from './chat-connection.ts';
import { EngineIoClient } from './engine-io-client.ts';
import { claimsOf, missigned, renamed, signToken, unsigned } from './forged-tokens.ts';
import { createDirect, newPeople, online, type Person, privateText } from './person.ts';
import type { Target } from './target.ts';

const required = { message: 'Authentication required', code: 'AUTH_REQUIRED' };
const invalid = { message: 'Invalid or expired token', code: 'AUTH_INVALID' };
const expired = { message: 'Invalid or expired token', code: 'AUTH_EXPIRED' };

export function describeHandshake(target: () => Target): void {
  describe('handshake', () => {
    let ada: Person;
    let ben: Person;
    let conversationId: string;
    beforeAll(async () => {
      [ada, ben] = (await newPeople(target(), 'hand', 2)) as [Person, Person];
      conversationId = (await createDirect(ada, ben))._id;
    });

    test.for([['polling'], ['websocket']] as ['polling' | 'websocket'][])(
      'without a token is refused over %s',
      async ([transport]) => {
        for (const url of target().socketUrls) {
          const options = { url, transports: [transport] };
          expect(await refusalOf(options)).toEqual(required);
          expect(await refusalOf({ ...options, token: '' })).toEqual(required);
          expect(await refusalOf({ ...options, token: null })).toEqual(required);
        }
      },
    );

    test('with a token in the query string only is refused', async () => {
      for (const url of target().socketUrls) {
        const query = { token: ada.accessToken, access_token: ada.accessToken };
        expect(await refusalOf({ url, query })).toEqual(required);
      }
    });

    test('with a token that is no token is refused', async () => {
      const [header, payload] = ada.accessToken.split('.');
      const tokens: unknown[] = [
        'garbage',
        'a.b.c',
        '...',
        ' ',
        'x'.repeat(20_000),
        `${header}.${payload}.`,
        `${header}.${payload}`,
        `${ada.accessToken}x`,
        42,
        true,
        { $gt: '' },
        [ada.accessToken],
        { toString: 'x' },
      ];
      for (const token of tokens) {
        const url = target().restUrl;
        expect({ token, ...(await refusalOf({ url, token })) }).toEqual({ token, ...invalid });
      }
    });

    test('with a forged token is refused', async () => {
      const forged = {
        'a wrong signature': missigned(ada.accessToken),
        'no signature': unsigned(ada.accessToken),
        'another name under the old signature': renamed(ada.accessToken, ben.userId),
      };
      for (const [name, token] of Object.entries(forged)) {
        for (const url of target().socketUrls) {
          expect({ name, ...(await refusalOf({ url, token })) }).toEqual({ name, ...invalid });
        }
      }
    });

    test('with a refresh token is refused', async () => {
      const options = { url: target().restUrl, token: ada.refreshToken };
      expect(await refusalOf(options)).toEqual(invalid);
    });

    test('with a token of the right key and wrong claims is refused', async ({ skip }) => {
      const secret = target().tokenSecret ?? skip('the key of this deployment is not known');
      const claims = claimsOf(ada.accessToken);
      const { exp: _exp, ...endless } = claims;
      const { sub: _sub, userId: _userId, ...nobody } = claims;
      const tokens = {
        'another audience': signToken({ ...claims, aud: 'somebody else' }, secret),
        'another issuer': signToken({ ...claims, iss: 'somebody else' }, secret),
        'another algorithm': signToken(claims, secret, 'HS512'),
        'no expiry': signToken(endless, secret),
        'no subject': signToken(nobody, secret),
        'an impossible subject': signToken({ ...claims, sub: 'a b', userId: 'a b' }, secret),
      };
      for (const [name, token] of Object.entries(tokens)) {
        const url = target().restUrl;
        expect({ name, ...(await refusalOf({ url, token })) }).toEqual({ name, ...invalid });
      }
    });

    test('with an expired token is refused as expired', async ({ skip }) => {
      const secret = target().tokenSecret ?? skip('the key of this deployment is not known');
      const now = Math.floor(Date.now() / 1000);
      const claims = { ...claimsOf(ada.accessToken), iat: now - 7200, exp: now - 3600 };
      for (const url of target().socketUrls) {
        expect(await refusalOf({ url, token: signToken(claims, secret) })).toEqual(expired);
      }
      const answer = await ada.rest('GET', '/api/users/me', { token: signToken(claims, secret) });
      expect(answer).toMatchObject({ status: 401, body: { code: 'AUTH_EXPIRED', status: 401 } });
    });

    test.for([
      ['WebSocket alone', ['websocket']],
      ['long-polling alone', ['polling']],
      ['long-polling upgraded to WebSocket', ['polling', 'websocket']],
    ] as [string, ('polling' | 'websocket')[]][])(
      'with a good token is accepted over %s, and messages flow both ways',
      async ([, transports]) => {
        for (const url of target().socketUrls) {
          using atAda = await connect({ url, token: ada.accessToken, transports });
          using atBen = await connect({ url, token: ben.accessToken, transports });
          if (transports.length > 1) {
            await waitFor(() => atAda.socket.io.engine.transport.name === 'websocket', {
              describe: `the upgrade at ${url}`,
            });
          }
          for (let round = 0; round < 5; round += 1) {
            await atBen.hears(await atAda.say(conversationId, privateText('ping')));
            await atAda.hears(await atBen.say(conversationId, privateText('pong')));
          }
          expect(atAda.socket.io.engine.transport.name).toBe(transports.at(-1));
          expect([...atAda.losses, ...atBen.losses]).toEqual([]);
        }
      },
    );

    test('takes the token of an Authorization header as well', async () => {
      for (const url of target().socketUrls) {
        using connection = await connect({
          url,
          headers: { authorization: `Bearer ${ada.accessToken}` },
        });
        await connection.say(conversationId, privateText('by header'));
        const headers = { authorization: `Bearer ${missigned(ada.accessToken)}` };
        expect(await refusalOf({ url, headers })).toEqual(invalid);
      }
    });

    test('a connection ends when its token expires, unless it was given a newer one', async ({
      skip,
    }) => {
      const secret = target().tokenSecret ?? skip('the key of this deployment is not known');
      const now = Math.floor(Date.now() / 1000);
      const until = (exp: number) => signToken({ ...claimsOf(ada.accessToken), exp }, secret);
      const url = target().restUrl;
      using prolonged = await connect({ url, token: until(now + 2) });
      using ending = await connect({ url, token: until(now + 3) });
      const answer = await prolonged.ask('refresh_token', { token: ada.accessToken });
      const exp = claimsOf(ada.accessToken).exp as number;
      expect(answer).toStrictEqual({
        success: true,
        expiresAt: new Date(exp * 1000).toISOString(),
      });
      await waitFor(() => ending.losses.length > 0, { describe: 'the end of the connection' });
      // The other one's first token expired a second before.
      await prolonged.say(conversationId, privateText('still here'));
      expect(prolonged.losses).toEqual([]);
    });

    test('refresh_token refuses what a handshake refuses, and keeps the connection', async () => {
      using connection = await online(target(), ada);
      const tokens = [
        'garbage',
        missigned(ada.accessToken),
        unsigned(ada.accessToken),
        ada.refreshToken,
        // Good, but somebody else's: a connection cannot change hands.
        ben.accessToken,
      ];
      for (const token of tokens) {
        expect(await connection.ask('refresh_token', { token })).toMatchObject({
          success: false,
          error: { code: 'AUTH_INVALID', retryable: false },
        });
      }
      await connection.say(conversationId, privateText('still me'));
    });

    test('who skips the handshake is heard by nobody', async () => {
      using atAda = await online(target(), ada);
      using atBen = await online(target(), ben);
      for (const url of target().socketUrls) {
        for (const first of ['', '40', '40{"token":"garbage"}']) {
          using raw = await EngineIoClient.open(url);
          const content = privateText('let me in');
          if (first !== '') {
            raw.send(first);
          }
          raw.send(`420["send_message",${JSON.stringify({ conversationId, content })}]`);
          await waitFor(() => raw.closed || raw.frames.some((frame) => frame.startsWith('44')), {
            describe: 'the refusal',
          });
          expect(raw.frames.filter((frame) => frame.startsWith('4') && frame[1] !== '4')).toEqual(
            [],
          );
          await atBen.hears(await atAda.say(conversationId, privateText('the door is shut')));
          expect(atBen.received().map((message) => message.content)).not.toContain(content);
        }
      }
    });
  });
}
