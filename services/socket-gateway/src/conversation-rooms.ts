import { authInvalid } from '@bambochat/auth';
import {
  type ConversationId,
  isTransient,
  notFound,
  type UserId,
  unavailable,
} from '@bambochat/protocol';
import { conversationIdOf, conversationRoom, type Rooms, userRoom } from '@bambochat/rooms';
import type { ChatSocket } from './chat-socket.ts';
import type { DirectoryClient } from './directory-client.ts';

/** The sockets of one user on this gateway, those still in their handshake included. */
interface LocalUser {
  sockets: Set<ChatSocket>;
  /** Counts announced changes, so that an answer read before one is not acted on after it. */
  changes: number;
}

export interface ConversationRooms {
  /**
   * Before the client hears that it is connected: puts the socket into its user's room and those
   * of all conversations. @throws AppError `UNAVAILABLE`, `AUTH_INVALID` when its session has ended
   */
  enter(socket: ChatSocket): Promise<void>;
  /** Sockets of a user here, those still in their handshake included. */
  socketsOf(userId: UserId): number;
  /** The socket is gone, or was refused after {@link enter}. */
  forget(socket: ChatSocket): void;
  /**
   * Puts one socket into one room and returns the conversation's `lastSeq`, read after everything
   * that comes later is heard. @throws AppError `NOT_FOUND`, `UNAVAILABLE`
   */
  join(socket: ChatSocket, conversationId: ConversationId): Promise<number>;
  /** Takes one socket out of one room until it joins again. */
  leave(socket: ChatSocket, conversationId: ConversationId): Promise<void>;
  /**
   * A membership has changed: the rooms of these users follow, and they are told. Resolves when the
   * rooms have followed, without waiting for Redis.
   */
  change(conversationId: ConversationId, added: UserId[], removed: UserId[]): Promise<void>;
  /** A login session has ended: so do its sockets, and handshakes under way with its tokens fail. */
  endSession(userId: UserId, sessionId: string): void;
  /** Announcements may have been missed: asks for every local user and follows the difference. */
  reconcile(): Promise<void>;
}

const READS_MAX = 5;
const RECONCILE_CONCURRENCY = 8;

export function createConversationRooms(options: {
  rooms: Pick<Rooms, 'fence'>;
  directory: DirectoryClient;
  /** Tells why, and ends the connection for good. */
  endSocket: (socket: ChatSocket) => void;
}): ConversationRooms {
  const { rooms, directory, endSocket } = options;
  const users = new Map<UserId, LocalUser>();
  const joins = new Map<string, Promise<number>>();

  function localUser(userId: UserId): LocalUser {
    let user = users.get(userId);
    if (user === undefined) {
      user = { sockets: new Set(), changes: 0 };
      users.set(userId, user);
    }
    return user;
  }

  /** Reads until no change was announced meanwhile; what is done with the answer at once is right. */
  async function readSteadily<Answer>(
    user: LocalUser,
    read: () => Promise<Answer>,
  ): Promise<Answer> {
    for (let reads = 0; reads < READS_MAX; reads += 1) {
      const before = user.changes;
      const answer = await read();
      if (user.changes === before) {
        return answer;
      }
    }
    throw unavailable('The directory');
  }

  function conversationsHeard(socket: ChatSocket): Set<ConversationId> {
    const heard = new Set<ConversationId>();
    for (const room of socket.rooms) {
      const conversationId = conversationIdOf(room);
      if (conversationId !== null) {
        heard.add(conversationId);
      }
    }
    return heard;
  }

  /** Without Redis the socket lives on; its rooms are reconciled, and it is told, on recovery. */
  async function fenceIfPossible(): Promise<void> {
    await rooms.fence().catch(() => {});
  }

  /**
   * Once they hear, tells the sockets where they were put in, as far as it is still true. Nobody
   * waits for it: without Redis the fence takes its time, and a removal must not stand behind it.
   */
  async function tellJoined(
    joined: readonly (readonly [ChatSocket, ConversationId])[],
  ): Promise<void> {
    if (joined.length === 0) {
      return;
    }
    await fenceIfPossible();
    for (const [socket, conversationId] of joined) {
      if (socket.rooms.has(conversationRoom(conversationId))) {
        socket.emit('conversation_joined', { conversationId });
      }
    }
  }

  async function joinOnce(socket: ChatSocket, conversationId: ConversationId): Promise<number> {
    const { userId } = socket.data;
    const room = conversationRoom(conversationId);
    const read = () => directory.lastSeq(conversationId, userId);
    if (!socket.rooms.has(room)) {
      await readSteadily(localUser(userId), read);
      socket.data.left?.delete(conversationId);
      await socket.join(room);
    }
    await rooms.fence();
    try {
      const lastSeq = await read();
      if (socket.rooms.has(room)) {
        return lastSeq;
      }
    } catch (error) {
      // A member that could not be told its lastSeq stays: it asks again, and hears meanwhile.
      if (isTransient(error)) {
        throw error;
      }
    }
    // Removed while joining, or it has left by itself.
    await socket.leave(room);
    throw notFound('Conversation');
  }

  function endSockets(user: LocalUser, sessionIds: ReadonlySet<string>): void {
    for (const socket of [...user.sockets]) {
      // Those in their handshake are refused at its end.
      if (socket.connected && sessionIds.has(socket.data.sessionId ?? '')) {
        endSocket(socket);
      }
    }
  }

  async function reconcileUser(userId: UserId, user: LocalUser): Promise<void> {
    const { conversationIds: current, endedSessions } = await readSteadily(user, () =>
      directory.conversationsOf(userId, sessionsOf(user.sockets)),
    );
    endSockets(user, new Set(endedSessions));
    const allowed = new Set(current);
    const joined: [ChatSocket, ConversationId][] = [];
    for (const socket of user.sockets) {
      const heard = conversationsHeard(socket);
      for (const conversationId of heard) {
        if (!allowed.has(conversationId)) {
          await socket.leave(conversationRoom(conversationId));
          socket.emit('conversation_left', { conversationId });
        }
      }
      for (const conversationId of current) {
        if (!heard.has(conversationId) && socket.data.left?.has(conversationId) !== true) {
          await socket.join(conversationRoom(conversationId));
          joined.push([socket, conversationId]);
        }
      }
    }
    void tellJoined(joined);
  }

  return {
    async enter(socket) {
      const { userId } = socket.data;
      const user = localUser(userId);
      user.sockets.add(socket);
      const { conversationIds, endedSessions } = await readSteadily(user, () =>
        directory.conversationsOf(userId, sessionsOf([socket])),
      );
      if (endedSessions.length > 0) {
        throw authInvalid(new Error('the session has ended'));
      }
      await socket.join([userRoom(userId), ...conversationIds.map(conversationRoom)]);
      await fenceIfPossible();
    },

    socketsOf: (userId) => users.get(userId)?.sockets.size ?? 0,

    forget(socket) {
      const { userId } = socket.data;
      const user = users.get(userId);
      if (user?.sockets.delete(socket) === true && user.sockets.size === 0) {
        users.delete(userId);
      }
    },

    join(socket, conversationId) {
      // Whoever asks again before the answer shares it: one socket costs one question at a time.
      const key = `${socket.id}:${conversationId}`;
      let joining = joins.get(key);
      if (joining === undefined) {
        joining = joinOnce(socket, conversationId).finally(() => joins.delete(key));
        joins.set(key, joining);
      }
      return joining;
    },

    async leave(socket, conversationId) {
      const room = conversationRoom(conversationId);
      if (!socket.rooms.has(room)) {
        throw notFound('Conversation');
      }
      // Only rooms it was in: no more of them than the user has conversations.
      socket.data.left ??= new Set();
      socket.data.left.add(conversationId);
      await socket.leave(room);
    },

    async change(conversationId, added, removed) {
      const room = conversationRoom(conversationId);
      for (const userId of removed) {
        const user = users.get(userId);
        if (user === undefined) {
          continue;
        }
        user.changes += 1;
        for (const socket of user.sockets) {
          // Announcements may repeat what is known.
          const leftBefore = socket.data.left?.delete(conversationId) === true;
          if (leftBefore || socket.rooms.has(room)) {
            await socket.leave(room);
            socket.emit('conversation_left', { conversationId });
          }
        }
      }
      const joined: [ChatSocket, ConversationId][] = [];
      for (const userId of added) {
        const user = users.get(userId);
        if (user === undefined) {
          continue;
        }
        user.changes += 1;
        for (const socket of user.sockets) {
          const wantsToHear = socket.data.left?.has(conversationId) !== true;
          if (wantsToHear && !socket.rooms.has(room)) {
            await socket.join(room);
            joined.push([socket, conversationId]);
          }
        }
      }
      void tellJoined(joined);
    },

    endSession(userId, sessionId) {
      const user = users.get(userId);
      if (user !== undefined) {
        user.changes += 1;
        endSockets(user, new Set([sessionId]));
      }
    },

    async reconcile() {
      const waiting = [...users];
      let failure: unknown = null;
      const worker = async () => {
        for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
          await reconcileUser(...next).catch((error: unknown) => {
            failure = error;
          });
        }
      };
      await Promise.all(Array.from({ length: RECONCILE_CONCURRENCY }, worker));
      if (failure !== null) {
        throw failure;
      }
    },
  };
}

/** Each once; tokens of others that hold our key name none. */
function sessionsOf(sockets: Iterable<ChatSocket>): string[] {
  const sessions = new Set<string>();
  for (const { data } of sockets) {
    if (data.sessionId !== undefined) {
      sessions.add(data.sessionId);
    }
  }
  return [...sessions];
}
