import type { ChatConversation } from './chat-conversation.ts';
import { errorFromWire } from './chat-error.ts';
import type { ChatEvents } from './chat-events.ts';
import type { Presence } from './presence.ts';
import type {
  FriendRequest,
  FriendRequestUpdate,
  Message,
  OnlineStatus,
  ReactionUpdate,
  ReadUpdate,
} from './shapes.ts';
import type { TypedEvents } from './typed-events.ts';

/** What the server says by itself, by event name. */
interface ServerEvents {
  message_sent_confirm: Message;
  receive_message: Message;
  typing: { conversationId: string; userId: string; isTyping: boolean };
  user_online_status: OnlineStatus;
  presence_snapshot: { online: string[] };
  friend_request: FriendRequest;
  friend_request_update: FriendRequestUpdate;
  conversation_joined: { conversationId: string };
  conversation_left: { conversationId: string };
  message_read_update: ReadUpdate;
  reaction_update: ReactionUpdate;
  resync: { reason: string };
  chat_error: { code: string; message: string; retryable: boolean };
}

type Handlers = { [Name in keyof ServerEvents]: (payload: ServerEvents[Name]) => void };

/** Gives what takes every event of a connection. Names it does not know are for newer clients. */
export function listenTo(target: {
  conversation: (conversationId: string) => ChatConversation;
  receive: (message: Message) => void;
  joined: (conversationId: string) => void;
  left: (conversationId: string) => void;
  /** Something that `GET /sync` tells too has changed live. */
  changedWhileLooking: () => void;
  resync: () => void;
  presence: Presence;
  events: TypedEvents<ChatEvents>;
}): (name: string, payload: unknown) => void {
  const { events, presence } = target;
  const handlers: Handlers = {
    message_sent_confirm: target.receive,
    receive_message: target.receive,
    typing: ({ conversationId, userId, isTyping }) =>
      target.conversation(conversationId).heardTyping(userId, isTyping),
    user_online_status: (status) => events.emit('presence', presence.take(status)),
    presence_snapshot({ online }) {
      for (const change of presence.takeSnapshot(online)) {
        events.emit('presence', change);
      }
    },
    friend_request: (request) => events.emit('friendRequest', request),
    friend_request_update: (update) => events.emit('friendRequestUpdate', update),
    conversation_joined: ({ conversationId }) => target.joined(conversationId),
    conversation_left: ({ conversationId }) => target.left(conversationId),
    message_read_update({ conversationId, ...mark }) {
      target.conversation(conversationId).mark(mark);
    },
    reaction_update(update) {
      target.changedWhileLooking();
      target.conversation(update.conversationId).showReactions(update);
    },
    resync: target.resync,
    chat_error: (error) => events.emit('error', errorFromWire(error)),
  };
  return (name, payload) => {
    if (Object.hasOwn(handlers, name) && typeof payload === 'object' && payload !== null) {
      handlers[name as keyof Handlers](payload as never);
    }
  };
}
