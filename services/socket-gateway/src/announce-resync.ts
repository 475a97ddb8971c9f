import type { ChatServer } from './chat-socket.ts';

const SLICES = 50;

/**
 * Tells every local socket, spread evenly over `duration` ms, that live events may be missing:
 * all of them asking for history in the same moment would be the next incident.
 */
export function announceResync(
  io: ChatServer,
  reason: string,
  duration: number,
  onSent: () => void,
): { stop(): void } {
  const waiting = [...io.of('/').sockets.values()];
  const perSlice = Math.ceil(waiting.length / SLICES);
  const timer = setInterval(() => {
    for (const socket of waiting.splice(0, perSlice)) {
      socket.emit('resync', { reason });
      onSent();
    }
    if (waiting.length === 0) {
      clearInterval(timer);
    }
  }, duration / SLICES);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
