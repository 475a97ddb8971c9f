import { authInvalid, type TokenVerifier } from '@bambochat/auth';
import { refreshTokenSchema } from '@bambochat/protocol';
import type { DirectoryClient } from './directory-client.ts';
import type { TokenExpiry } from './expire-tokens.ts';
import type { EventDefinition } from './handle-event.ts';

/** Prolongs the connection with a newer token of the same user. */
export function refreshToken(options: {
  verifier: TokenVerifier;
  directory: Pick<DirectoryClient, 'conversationsOf'>;
  expiry: TokenExpiry;
}): EventDefinition<typeof refreshTokenSchema> {
  return {
    event: 'refresh_token',
    schema: refreshTokenSchema,
    rate: 'request',
    async handle(socket, { token }, answer) {
      const claims = options.verifier.verifyAccess(token);
      if (claims.sub !== socket.data.userId) {
        throw authInvalid();
      }
      if (claims.sid !== undefined) {
        const { endedSessions } = await options.directory.conversationsOf(claims.sub, [claims.sid]);
        if (endedSessions.length > 0) {
          throw authInvalid(new Error('the session has ended'));
        }
      }
      socket.data.sessionId = claims.sid;
      socket.data.expiresAt = claims.exp * 1000;
      options.expiry.watch(socket);
      answer.succeed({ expiresAt: new Date(socket.data.expiresAt).toISOString() });
    },
  };
}
