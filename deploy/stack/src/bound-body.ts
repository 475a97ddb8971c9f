import type { IncomingMessage } from 'node:http';
import { AppError } from '@bambochat/protocol';

/**
 * Refuses a body that is too large before the target sees it. The target would refuse it too, and
 * break the connection while the rest is still being sent; whether its answer arrives before the
 * break is noticed is a race that the client must not depend on.
 *
 * @param limit bytes
 * @param onExceeded called once when a body without a declared length turns out to be too large
 * @throws AppError `TOO_LARGE` when the declared length is
 */
export function boundBody(request: IncomingMessage, limit: number, onExceeded: () => void): void {
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    throw tooLarge();
  }
  if (request.headers['transfer-encoding'] === undefined) {
    return;
  }
  let received = 0;
  const count = (chunk: Buffer) => {
    received += chunk.length;
    if (received > limit) {
      request.off('data', count);
      onExceeded();
    }
  };
  request.on('data', count);
  // Counting must not start the flow: whoever forwards the body does.
  request.pause();
}

export function tooLarge(): AppError {
  return new AppError('TOO_LARGE', 'The request is too large');
}
