import type { ConversationId, ServerToClientEvents, UserId } from '@bambochat/protocol';
import type { ServerOptions } from 'socket.io';

/** What `new Server({ adapter })` of Socket.IO takes. */
export type AdapterConstructor = ServerOptions['adapter'];

/**
 * One per process. Wires the Socket.IO servers of this process to those of the others and emits
 * into rooms (see `room-names.ts`).
 *
 * Sockets enter and leave rooms by Socket.IO's own `socket.join` and `socket.leave`, and may emit by
 * `socket.to(room).emit`: sockets on this process then hear it whatever the backing service does.
 */
export interface Rooms {
  /** Give it to `new Server({ adapter })`. */
  readonly adapter: AdapterConstructor;

  readonly emitter: RoomEmitter;

  /**
   * Resolves when every join made before the call hears what any process emits from then on.
   * Concurrent calls share round trips.
   *
   * @throws AppError `UNAVAILABLE` when the backing service has not answered after a second.
   */
  fence(): Promise<void>;

  /**
   * Calls the listener when the sockets of this process may have missed live events and hear again:
   * once for each interruption, after every room is subscribed again.
   */
  onInterruption(listener: (interruption: Interruption) => void): Subscription;

  /**
   * Calls the listener when emits of this process have not reached the others, and new ones do
   * again: once for each time of trouble. Sockets elsewhere have missed something, and their
   * processes cannot know.
   */
  onEmitsLost(listener: (interruption: Interruption) => void): Subscription;

  /**
   * Calls the listener for each event that another process has emitted into a room of this one,
   * before the sockets hear it. On the path of every event: it must be quick.
   */
  onRemoteEvent(listener: (event: RemoteEvent) => void): Subscription;

  /**
   * Calls the listener when an event that carries a trace (`RoomEmitter`) has come from another
   * process and before the sockets hear it; what it returns is called once it is handed to them. One
   * listener: another one takes its place. The memory rooms never call it.
   */
  onTracedEvent(listener: TracedEventListener): Subscription;

  /** What was done so far, for metrics; costs nothing until it is asked for. */
  figures(): RoomsFigures;

  /** For readiness. @throws Error that names the backing service when it does not answer. */
  check(): Promise<void>;

  /**
   * Lets go of the backing service; close the Socket.IO servers before. What is emitted afterwards
   * is dropped. Never rejects, can be called again.
   */
  stop(): Promise<void>;
}

/**
 * Emits to everybody in a room on every gateway.
 *
 * Order: what one process emits into one room arrives in that order. For instance, seq 1 then seq 2
 * into one conversation; but nothing is said about a conversation's room against a user's room.
 *
 * Delivery: at most once. Who is not connected misses it, and so does who is on a process that
 * cannot be reached at that moment: the history repairs that. Never twice.
 *
 * Never throws, never waits, and keeps nothing for later: what cannot be sent is dropped.
 */
export interface RoomEmitter {
  toConversation<E extends keyof ServerToClientEvents>(
    conversationId: ConversationId,
    event: E,
    payload: PayloadOf<E>,
    options?: EmitOptions,
  ): void;

  /** To all sockets of the user. */
  toUser<E extends keyof ServerToClientEvents>(
    userId: UserId,
    event: E,
    payload: PayloadOf<E>,
  ): void;
}

export interface EmitOptions {
  /** The socket, on whichever gateway, that is left out. */
  readonly exceptSocketId?: string;
  /** W3C `traceparent`, for the other processes; clients do not get it. */
  readonly traceparent?: string | undefined;
}

/** What travels beside a message, as it is in it. */
export interface MessageFlags {
  readonly seq: number;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What another process has emitted into a room of this one. */
export interface RemoteEvent {
  readonly event: string;
  readonly room: string;
  /** Undefined: it is no message, or the sender is of a version that does not tell. */
  readonly message: MessageFlags | undefined;
  /** Parses it, each time. */
  payload(): unknown;
}

export type TracedEventListener = (event: string, traceparent: string) => (() => void) | undefined;

export type PayloadOf<E extends keyof ServerToClientEvents> = Parameters<
  ServerToClientEvents[E]
>[0];

export interface Interruption {
  /** May be shown to a client. */
  reason: string;
  /** When it was noticed, in milliseconds since the epoch; it may have begun some seconds before. */
  since: number;
}

/** Counts are since the start. */
export interface RoomsFigures {
  /** Events whose receivers were looked for in this process. */
  readonly broadcasts: number;
  /** The same, one for each socket that was sent it. */
  readonly deliveries: number;
  /** Absent: there is no other process. */
  readonly redis?: RoomsRedisFigures;
}

export interface RoomsRedisFigures {
  /** `connects` counts the first one too. */
  readonly connections: readonly {
    readonly role: 'publisher' | 'subscriber';
    readonly ready: boolean;
    readonly connects: number;
  }[];
  /** Channels that are wanted now. */
  readonly subscriptions: number;
  /** Channels that were asked for again on a new connection. */
  readonly resubscriptions: number;
  /** Times that {@link Rooms.onInterruption} tells of, told or not yet. */
  readonly interruptions: number;
  /** Emits that were sent to Redis, those that it lost included. */
  readonly published: number;
  /** Emits that did not reach Redis. */
  readonly dropped: number;
  /** Emits that are on their way. */
  readonly pending: number;
  /** Messages of other processes that were not understood, and dropped. */
  readonly malformed: number;
}

export interface Subscription {
  unsubscribe(): void;
}
