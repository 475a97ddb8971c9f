export * from './directory-store.ts';
export * from './friend-store.ts';
export * from './message-store.ts';
export * from './presence-store.ts';
export * from './status-store.ts';
export * from './sync-store.ts';
export { unreadOf } from './unread.ts';
