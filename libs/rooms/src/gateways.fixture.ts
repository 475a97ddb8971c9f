import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConversationId, Message, UserId } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { Server, type Socket as ServerSocket } from 'socket.io';
import { type Socket as ClientSocket, io as openClient } from 'socket.io-client';
import { uuidv7 } from 'uuidv7';
import { conversationRoom, userRoom } from './room-names.ts';
import type { Rooms } from './rooms.ts';

/** A Socket.IO server on a port of its own, wired to others by `rooms`. */
export interface Gateway {
  readonly io: Server;
  readonly rooms: Rooms;
  connect(userId?: UserId, options?: { transports?: string[] }): Promise<Device>;
  close(): Promise<void>;
}

/** Both ends of one connection, and what its client heard. */
export interface Device {
  readonly client: ClientSocket;
  readonly socket: ServerSocket;
  readonly heard: { event: string; payload: unknown }[];
  join(...conversations: ConversationId[]): void;
  leave(conversation: ConversationId): void;
}

export async function startGateway(rooms: Rooms): Promise<Gateway> {
  const http = createServer();
  const io = new Server(http, { adapter: rooms.adapter, serveClient: false });
  io.on('connection', (socket) => {
    void socket.join(userRoom(socket.handshake.auth.userId));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const clients = new Set<ClientSocket>();

  const connect: Gateway['connect'] = async (userId = newUserId(), options = {}) => {
    const client = openClient(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      auth: { userId },
      ...options,
    });
    clients.add(client);
    const heard: Device['heard'] = [];
    client.onAny((event: string, payload: unknown) => heard.push({ event, payload }));
    const socket = await waitFor<ServerSocket | null>(
      () => io.sockets.sockets.get(client.id ?? '') ?? null,
      { describe: 'the connection of a client' },
    );
    if (!socket) {
      throw new Error('unreachable: waitFor resolves with a truthy value');
    }
    return {
      client,
      socket,
      heard,
      join: (...conversations) => {
        void socket.join(conversations.map(conversationRoom));
      },
      leave: (conversation) => {
        void socket.leave(conversationRoom(conversation));
      },
    };
  };

  return {
    io,
    rooms,
    connect,
    close: async () => {
      for (const client of clients) {
        client.disconnect();
      }
      await io.close();
    },
  };
}

export function newConversationId(): ConversationId {
  return uuidv7() as ConversationId;
}

export function newUserId(): UserId {
  return `u-${uuidv7()}` as UserId;
}

export function messageIn(conversationId: ConversationId, seq: number, content = 'hello'): Message {
  return {
    _id: uuidv7() as Message['_id'],
    conversationId,
    seq,
    senderId: 'alice' as UserId,
    content,
    clientMessageId: `m-${seq}` as Message['clientMessageId'],
    reactions: [],
    createdAt: '2026-01-01T00:00:00.000Z',
  };
}

export function seqsHeardBy(device: Device): number[] {
  return device.heard
    .filter(({ event }) => event === 'receive_message')
    .map(({ payload }) => (payload as Message).seq);
}
