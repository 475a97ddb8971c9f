export { conversationIdOf, conversationRoom, userRoom } from './room-names.ts';
export type {
  AdapterConstructor,
  Interruption,
  MessageFlags,
  PayloadOf,
  RemoteEvent,
  RoomEmitter,
  Rooms,
  RoomsFigures,
  RoomsRedisFigures,
  Subscription,
} from './rooms.ts';
export type { RoomsLogger } from './rooms-logger.ts';
