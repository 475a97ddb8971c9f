export * from './directory-store.ts';
export * from './message-store.ts';
