export { conversationIdOf, conversationRoom, userRoom } from './room-names.ts';
export type { AdapterConstructor, PayloadOf, RoomEmitter, Rooms, Subscription } from './rooms.ts';
export type { RoomsLogger } from './rooms-logger.ts';
