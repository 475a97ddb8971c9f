import { authInvalid, type TokenVerifier } from '@bambochat/auth';
import { refreshTokenSchema } from '@bambochat/protocol';
import type { TokenExpiry } from './expire-tokens.ts';
import type { EventDefinition } from './handle-event.ts';

/** Prolongs the connection with a newer token of the same user. */
export function refreshToken(options: {
  verifier: TokenVerifier;
  expiry: TokenExpiry;
}): EventDefinition<typeof refreshTokenSchema> {
  return {
    event: 'refresh_token',
    schema: refreshTokenSchema,
    rate: 'request',
    handle(socket, { token }, answer) {
      const claims = options.verifier.verifyAccess(token);
      if (claims.sub !== socket.data.userId) {
        throw authInvalid();
      }
      socket.data.expiresAt = claims.exp * 1000;
      options.expiry.watch(socket);
      answer.succeed({ expiresAt: new Date(socket.data.expiresAt).toISOString() });
    },
  };
}
