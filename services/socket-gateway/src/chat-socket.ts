import type {
  ClientToServerEvents,
  ConversationId,
  ServerToClientEvents,
  UserId,
} from '@bambochat/protocol';
import type { Server, Socket } from 'socket.io';
import type { TypingState } from './typing.ts';

/** What this gateway knows of one connection; gone with it. */
export interface SocketData {
  userId: UserId;
  /** The login session of the token; absent: a token of others that hold the key. */
  sessionId?: string | undefined;
  /** When the access token ends, in milliseconds since the epoch. */
  expiresAt: number;
  /** Rooms that this connection left by itself and wants to stay out of. */
  left?: Set<ConversationId>;
  /** What the others see it type, as long as there is something to take back. */
  typing?: Map<ConversationId, TypingState> | undefined;
}

export type ChatServer = Server<
  ClientToServerEvents,
  ServerToClientEvents,
  Record<string, never>,
  SocketData
>;
export type ChatSocket = Socket<
  ClientToServerEvents,
  ServerToClientEvents,
  Record<string, never>,
  SocketData
>;
