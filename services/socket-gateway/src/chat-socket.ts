import type {
  ClientToServerEvents,
  ConversationId,
  ServerToClientEvents,
  UserId,
} from '@bambochat/protocol';
import type { Server, Socket } from 'socket.io';

/** What this gateway knows of one connection; gone with it. */
export interface SocketData {
  userId: UserId;
  /** When the access token ends, in milliseconds since the epoch. */
  expiresAt: number;
  /** Rooms that this connection left by itself and wants to stay out of. */
  left?: Set<ConversationId>;
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
