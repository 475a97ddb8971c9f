import { authInvalid, authRequired, bearerToken, type TokenVerifier } from '@bambochat/auth';
import { type ConnectErrorData, toWireError } from '@bambochat/protocol';
import type { ChatSocket } from './chat-socket.ts';

/** The token of `auth.token`, or of the `Authorization` header; never of the query string. */
function tokenOf(socket: ChatSocket): string {
  const { token } = socket.handshake.auth;
  if (token !== undefined && token !== null && token !== '') {
    if (typeof token !== 'string') {
      throw authInvalid();
    }
    return token;
  }
  const header = bearerToken(socket.handshake.headers.authorization);
  if (header === null) {
    throw authRequired();
  }
  return header;
}

/** Sets the socket's user. @throws AppError `AUTH_REQUIRED`, `AUTH_INVALID` or `AUTH_EXPIRED` */
export function authenticateSocket(socket: ChatSocket, verifier: TokenVerifier): void {
  const claims = verifier.verifyAccess(tokenOf(socket));
  socket.data.userId = claims.sub;
  socket.data.sessionId = claims.sid;
  socket.data.expiresAt = claims.exp * 1000;
}

/** The form in which Socket.IO hands a refusal to the client: `connect_error` with `data`. */
export function refusal(error: unknown): Error & { data: ConnectErrorData } {
  const { code, message, retryable } = toWireError(error);
  return Object.assign(new Error(message), { data: { code, retryable } });
}
