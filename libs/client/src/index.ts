export type { ChatClient } from './chat-client.ts';
export type { ChatConversation } from './chat-conversation.ts';
export { ChatError, type ChatErrorCode } from './chat-error.ts';
export type { ChatEvents } from './chat-events.ts';
export { type ConnectOptions, connectSocket } from './connect-socket.ts';
export type { ConnectionState } from './connection.ts';
export type { MessageWindow } from './message-window.ts';
export { indexedDbOutbox } from './outbox-indexed-db.ts';
export {
  memoryOutbox,
  type OpenOutboxStorage,
  type OutboxRow,
  type OutboxStorage,
  type StoredRow,
  storageError,
} from './outbox-storage.ts';
export { webStorageOutbox } from './outbox-web-storage.ts';
export type { PendingMessage, PendingState } from './pending-message.ts';
export type { PresenceChange } from './presence.ts';
export { type RestClient, type RestRequest, register } from './rest-client.ts';
export {
  memorySession,
  Session,
  type SessionOptions,
  type SessionStorage,
  webStorageSession,
} from './session.ts';
export type * from './shapes.ts';
export type { TokenProvider } from './token-source.ts';
