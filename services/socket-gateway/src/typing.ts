import { type ConversationId, notFound, typingSchema } from '@bambochat/protocol';
import { conversationIdOf, conversationRoom } from '@bambochat/rooms';
import type { ChatServer, ChatSocket } from './chat-socket.ts';
import type { EventDefinition } from './handle-event.ts';

export interface Typing {
  readonly definition: EventDefinition<typeof typingSchema>;
  /** The socket has sent a message: it does not type any more. */
  clear(socket: ChatSocket, conversationId: ConversationId): void;
}

/** What one socket types in one conversation. */
export interface TypingState {
  /** The others see it type. */
  shown: boolean;
  /** What came while it was too early to tell. */
  wanted: boolean | null;
  /** Runs until the next state may be told. */
  throttle: NodeJS.Timeout | null;
}

/** Conversations that one socket can be seen to type in; past it the first one is cleared. */
const CONVERSATIONS_MAX = 32;

/**
 * Tells the others in the room who types; never stored. Of one socket and conversation the others
 * hear at most one state in `interval` ms: the first at once, and at the end the newest, if it says
 * something new. A repeated `true` does: they may take silence for the end of it.
 *
 * Who is seen to type and sends a message, leaves the room by whatever way or goes is cleared for
 * the others at once.
 */
export function createTyping(options: { server: ChatServer; interval: number }): Typing {
  const { interval } = options;
  const namespace = options.server.of('/');

  function emit(socket: ChatSocket, conversationId: ConversationId, isTyping: boolean): void {
    const payload = { conversationId, userId: socket.data.userId, isTyping };
    socket.to(conversationRoom(conversationId)).volatile.emit('typing', payload);
  }

  /** Not volatile: dropped right behind its `true`, it would leave somebody typing for ever. */
  function takeBack(socket: ChatSocket, conversationId: ConversationId): void {
    const payload = { conversationId, userId: socket.data.userId, isTyping: false };
    socket.to(conversationRoom(conversationId)).emit('typing', payload);
  }

  function relay(
    socket: ChatSocket,
    conversationId: ConversationId,
    state: TypingState,
    isTyping: boolean,
  ): void {
    if (state.shown && !isTyping) {
      takeBack(socket, conversationId);
    } else {
      emit(socket, conversationId, isTyping);
    }
    state.shown = isTyping;
    state.wanted = null;
    if (interval > 0) {
      state.throttle ??= setTimeout(endThrottle, interval, socket, conversationId, state).unref();
    }
    forgetIfOver(socket, conversationId, state);
  }

  function endThrottle(
    socket: ChatSocket,
    conversationId: ConversationId,
    state: TypingState,
  ): void {
    const { wanted } = state;
    state.throttle = null;
    if (wanted === true || (wanted === false && state.shown)) {
      relay(socket, conversationId, state, wanted);
    } else {
      state.wanted = null;
      forgetIfOver(socket, conversationId, state);
    }
  }

  function forgetIfOver(
    socket: ChatSocket,
    conversationId: ConversationId,
    state: TypingState,
  ): void {
    if (!state.shown && state.throttle === null) {
      forget(socket, conversationId);
    }
  }

  function forget(socket: ChatSocket, conversationId: ConversationId): void {
    socket.data.typing?.delete(conversationId);
    if (socket.data.typing?.size === 0) {
      socket.data.typing = undefined;
    }
  }

  /** Whatever was held back is void. */
  function end(socket: ChatSocket, conversationId: ConversationId): void {
    const state = socket.data.typing?.get(conversationId);
    if (state === undefined) {
      return;
    }
    clearTimeout(state.throttle ?? undefined);
    forget(socket, conversationId);
    if (state.shown) {
      takeBack(socket, conversationId);
    }
  }

  function stateOf(socket: ChatSocket, conversationId: ConversationId): TypingState {
    const known = socket.data.typing?.get(conversationId);
    if (known !== undefined) {
      return known;
    }
    const [first] = socket.data.typing?.keys() ?? [];
    if (first !== undefined && socket.data.typing?.size === CONVERSATIONS_MAX) {
      end(socket, first);
    }
    const state: TypingState = { shown: false, wanted: null, throttle: null };
    socket.data.typing ??= new Map();
    socket.data.typing.set(conversationId, state);
    return state;
  }

  // Leaving, being removed and going all end here, before Socket.IO forgets the socket.
  namespace.adapter.on('leave-room', (room: string, socketId: string) => {
    const socket = namespace.sockets.get(socketId);
    if (socket?.data.typing !== undefined) {
      const conversationId = conversationIdOf(room);
      if (conversationId !== null) {
        end(socket, conversationId);
      }
    }
  });

  return {
    definition: {
      event: 'typing',
      schema: typingSchema,
      rate: 'typing',
      volatile: true,
      handle(socket, { conversationId, isTyping }) {
        // Only members are let into the room, and who is removed is taken out of it.
        if (!socket.rooms.has(conversationRoom(conversationId))) {
          throw notFound('Conversation');
        }
        const state = stateOf(socket, conversationId);
        if (state.throttle === null) {
          relay(socket, conversationId, state, isTyping);
        } else {
          state.wanted = isTyping;
        }
      },
    },

    clear(socket, conversationId) {
      const state = socket.data.typing?.get(conversationId);
      if (state?.shown === true) {
        relay(socket, conversationId, state, false);
      } else if (state !== undefined) {
        state.wanted = null;
      }
    },
  };
}
