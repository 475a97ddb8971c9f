import { waitFor } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { refusalOf } from './chat-connection.ts';
import { expectRestError } from './contract-shapes.ts';
import { createDirect, logIn, newPeople, online, type Person, privateText } from './person.ts';
import { request } from './rest-client.ts';
import type { Target } from './target.ts';

/** A second, as promised, and two more for a machine that does other things too. */
const DEADLINE = 1000 + 2000;

export function describeSessions(target: () => Target): void {
  describe('sessions that end', () => {
    const people = () => newPeople(target(), 'ses', 2) as Promise<[Person, Person]>;

    const endings: [string, (session: Person) => Promise<unknown>][] = [
      [
        'by logout',
        (session) =>
          session.rest('POST', '/api/auth/logout', {
            json: { refreshToken: session.refreshToken },
          }),
      ],
      ['by logout with the access token', (session) => session.rest('POST', '/api/auth/logout')],
      [
        'because a refresh token was used twice',
        async (session) => {
          for (let times = 0; times < 2; times += 1) {
            await session.rest('POST', '/api/auth/refresh', {
              json: { refreshToken: session.refreshToken },
            });
          }
        },
      ],
    ];

    test.for(endings)(
      '%s end their sockets on every gateway, and no others',
      async ([, end], { annotate }) => {
        const [ada, ben] = await people();
        const { _id: conversationId } = await createDirect(ada, ben);
        const session = await logIn(target(), ada);
        using first = await online(target(), session, 0);
        using second = await online(target(), session, 1);
        using other = await online(target(), ada, 1);
        using atBen = await online(target(), ben, 0);
        const began = performance.now();
        await end(session);
        await waitFor(() => first.losses.length + second.losses.length === 2, {
          describe: 'the sockets of the session to end',
          timeout: DEADLINE,
          interval: 10,
        });
        await annotate(`after ${Math.round(performance.now() - began)} ms`);
        // By the server: a stock client does not try again with a token that is good no more.
        expect([...first.losses, ...second.losses]).toEqual([
          'io server disconnect',
          'io server disconnect',
        ]);
        for (const connection of [first, second]) {
          expect(connection.errors()).toMatchObject([
            { event: 'connection', code: 'AUTH_INVALID' },
          ]);
        }
        await atBen.hears(await other.say(conversationId, privateText('still here')));
        expect([...other.losses, ...atBen.losses]).toEqual([]);
      },
    );

    test('leave access tokens behind that open and read nothing', async () => {
      const [ada, ben] = await people();
      const { _id: conversationId } = await createDirect(ada, ben);
      const session = await logIn(target(), ada);
      await session.rest('POST', '/api/auth/logout', {
        json: { refreshToken: session.refreshToken },
      });
      for (const url of target().gatewayUrls) {
        expect(await refusalOf({ url, token: session.accessToken })).toEqual({
          message: 'Invalid or expired token',
          code: 'AUTH_INVALID',
        });
      }
      const { accessToken: token } = session;
      for (const path of ['/api/users/me', `/messages?conversationId=${conversationId}`]) {
        await waitFor(
          async () => (await request(target().restUrl, 'GET', path, { token })).status === 401,
          { describe: `${path} to refuse`, timeout: DEADLINE, interval: 100 },
        );
        expectRestError(
          await request(target().restUrl, 'GET', path, { token }),
          401,
          'AUTH_INVALID',
        );
      }
      expect((await ada.rest('GET', '/api/users/me')).status).toBe(200);
    });

    test('a token of theirs renews no other connection', async () => {
      const [ada] = await people();
      const session = await logIn(target(), ada);
      using connection = await online(target(), ada);
      await session.rest('POST', '/api/auth/logout');
      expect(await connection.ask('refresh_token', { token: session.accessToken })).toMatchObject({
        success: false,
        error: { code: 'AUTH_INVALID' },
      });
      expect(connection.losses).toEqual([]);
    });
  });
}
