import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AppError } from '@bambochat/protocol';

/** What the edge itself refuses looks like every other refusal. */
export function answerRefusal(response: ServerResponse, refusal: AppError): void {
  if (response.headersSent || response.destroyed) {
    // Half an answer is out: only a broken connection tells the client that the rest is missing.
    response.destroy();
    return;
  }
  response.statusCode = refusal.status;
  if (refusal.code === 'UNAVAILABLE') {
    response.setHeader('retry-after', '1');
  }
  answerJson(response, bodyOf(refusal));
}

/** With the status that the response has. */
export function answerJson(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', Buffer.byteLength(text));
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** On a connection that has no response object: an upgrade, or a request that is not even HTTP. */
export function refuseConnection(socket: Duplex, refusal: AppError): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(bodyOf(refusal));
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

/** What every error answer of BamboChat holds. */
function bodyOf({ message, code, status }: AppError) {
  return { message, code, status };
}
