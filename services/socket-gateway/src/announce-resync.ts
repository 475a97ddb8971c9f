import type { ChatServer } from './chat-socket.ts';
import { type Spread, spreadEvenly } from './spread-evenly.ts';

/**
 * Tells every local socket, spread evenly over `duration` ms, that live events may be missing:
 * all of them asking for history in the same moment would be the next incident.
 */
export function announceResync(
  io: ChatServer,
  reason: string,
  duration: number,
  onSent: () => void,
): Spread {
  return spreadEvenly(io.of('/').sockets.values(), duration, (socket) => {
    socket.emit('resync', { reason });
    onSent();
  });
}
