export { conversationIdOf, conversationRoom, userRoom } from './room-names.ts';
export type {
  AdapterConstructor,
  Interruption,
  PayloadOf,
  RoomEmitter,
  Rooms,
  RoomsFigures,
  RoomsRedisFigures,
  Subscription,
} from './rooms.ts';
export type { RoomsLogger } from './rooms-logger.ts';
