/*
 * The floor under every server: the bytes of one frame, written to each of its TCP connections, and
 * nothing else. `FRAME_BYTES` is their number; each message of the parent is one broadcast to some.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';

const frame = Buffer.alloc(Number(process.env.FRAME_BYTES), 'x');
/** In the order in which they came; none goes before the end. */
const sockets: Socket[] = [];
const server = createServer({ noDelay: true }, (socket) => {
  sockets.push(socket);
  socket.on('error', () => socket.destroy());
  socket.resume();
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('message', ({ first, count }: { first: number; count: number }) => {
  for (let index = first; index < first + count; index += 1) {
    sockets[index]?.write(frame);
  }
});
for (const end of ['disconnect', 'SIGTERM'] as const) {
  process.on(end, () => process.exit());
}
