import { waitFor } from '@bambochat/testing';
import { WebSocket } from 'ws';

/** Socket.IO spoken by hand over a bare WebSocket, which a test may let stop reading. */
export async function openSlowSocket(url: string, token: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const packets: string[] = [];
  let closed = false;
  socket.on('message', (data) => packets.push(String(data)));
  socket.on('error', () => {});
  socket.once('close', () => {
    closed = true;
  });
  await new Promise((resolve) => socket.once('open', resolve));
  socket.send(`40${JSON.stringify({ token })}`);
  await waitFor(() => packets.some((packet) => packet.startsWith('40')));
  return {
    packets,
    stopReading: () => socket.pause(),
    readOn: () => socket.resume(),
    isClosed: () => closed,
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** The same over long-polling: nothing is taken but what a test asks for. */
export async function openPoller(url: string, token: string) {
  const polling = `${url}/socket.io/?EIO=4&transport=polling`;
  const opened = await (await fetch(polling)).text();
  const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
  const poll = async () => await (await fetch(`${polling}&sid=${sid}`)).text();
  await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: `40${JSON.stringify({ token })}` });
  const connect = await poll();
  if (!connect.startsWith('40')) {
    throw new Error('The handshake was refused');
  }
  return { poll, connect };
}
