import { waitFor } from '@bambochat/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Device,
  type Gateway,
  messageIn,
  newConversationId,
  seqsHeardBy,
  startGateway,
} from './gateways.fixture.ts';
import { createMemoryRooms } from './rooms-memory.ts';

/** What Engine.IO's types hide of a WebSocket on the server. */
interface RawWebSocket {
  readonly bufferedAmount: number;
  readonly _socket: { write(bytes: Uint8Array): boolean };
  close(): void;
}

const rawOf = ({ socket }: Device) =>
  (socket.conn.transport as unknown as { socket: RawWebSocket }).socket;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('broadcasts to the sockets of one process', () => {
  const conversation = newConversationId();
  let gateway: Gateway;

  beforeEach(async () => {
    gateway = await startGateway(createMemoryRooms());
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await gateway.close();
  });

  async function member(): Promise<Device> {
    const device = await gateway.connect();
    device.join(conversation);
    return device;
  }
  function say(seq: number, exceptSocketId?: string): void {
    gateway.rooms.emitter.toConversation(
      conversation,
      'receive_message',
      messageIn(conversation, seq),
      exceptSocketId === undefined ? {} : { exceptSocketId },
    );
  }
  const hasHeard = (device: Device, count: number) =>
    waitFor(() => seqsHeardBy(device).length >= count, { describe: `${count} messages` });

  test('what comes in one turn of the loop is written to each socket at once, in order', async () => {
    const devices = [await member(), await member()];
    const writes = devices.map((device) => vi.spyOn(rawOf(device)._socket, 'write'));
    for (const seq of upTo(20)) {
      say(seq);
    }
    for (const device of devices) {
      await hasHeard(device, 20);
      expect(seqsHeardBy(device)).toEqual(upTo(20));
    }
    for (const write of writes) {
      expect(write).toHaveBeenCalledTimes(1);
    }
  });

  test('the left-out socket hears nothing, and its neighbours no less', async () => {
    const [one, other] = [await member(), await member()];
    say(1);
    say(2, one.socket.id);
    say(3);
    await hasHeard(other, 3);
    await hasHeard(one, 2);
    expect([seqsHeardBy(one), seqsHeardBy(other)]).toEqual([
      [1, 3],
      [1, 2, 3],
    ]);
  });

  test('nothing else that a socket is sent overtakes them, nor falls behind', async () => {
    const device = await member();
    say(1);
    device.socket.emit('between', 1);
    say(2);
    say(3);
    device.socket.emit('between', 2);
    await waitFor(() => device.heard.length === 5);
    expect(device.heard.map(({ event }) => event)).toEqual([
      'receive_message',
      'between',
      'receive_message',
      'receive_message',
      'between',
    ]);
    expect(seqsHeardBy(device)).toEqual([1, 2, 3]);
  });

  test('a long burst is not gathered without bound', async () => {
    const device = await member();
    const write = vi.spyOn(rawOf(device)._socket, 'write');
    for (const seq of upTo(2000)) {
      say(seq);
    }
    await hasHeard(device, 2000);
    expect(seqsHeardBy(device)).toEqual(upTo(2000));
    const sizes = write.mock.calls.map(([bytes]) => bytes.length);
    expect(Math.max(...sizes)).toBeLessThan(2 * 65_536);
    expect(sizes.length).toBeLessThan(100);
  });

  test('long-polling hears the same', async () => {
    const device = await gateway.connect(undefined, { transports: ['polling'] });
    device.join(conversation);
    for (const seq of upTo(10)) {
      say(seq);
    }
    await hasHeard(device, 10);
    expect(seqsHeardBy(device)).toEqual(upTo(10));
  });

  test('who does not read waits in the queue of Engine.IO, which is bounded, and misses nothing', async () => {
    const [slow, quick] = [await member(), await member()];
    const reading = slow.client.io.engine.transport as unknown as {
      ws: { _socket: { pause(): void; resume(): void } };
    };
    reading.ws._socket.pause();
    let seq = 0;
    await waitFor(
      () => {
        for (let count = 0; count < 500; count += 1) {
          seq += 1;
          say(seq);
        }
        return rawOf(slow).bufferedAmount > 0;
      },
      { interval: 1, describe: 'the kernel to take no more' },
    );
    const stuck = rawOf(slow).bufferedAmount;
    for (let count = 0; count < 100; count += 1) {
      seq += 1;
      say(seq);
      gateway.rooms.emitter.toConversation(
        conversation,
        'receive_message',
        messageIn(conversation, 0),
      );
      await new Promise(setImmediate);
    }
    const queued = (slow.socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length;
    expect(queued).toBeGreaterThan(190);
    // The first of them began to wait below; nothing was added to it behind Engine.IO's back.
    expect(rawOf(slow).bufferedAmount).toBeLessThan(stuck + 10_000);
    reading.ws._socket.resume();
    for (const device of [slow, quick]) {
      await hasHeard(device, seq + 100);
      expect(seqsHeardBy(device).filter((heard) => heard > 0)).toEqual(upTo(seq));
    }
  });

  test('a connection that closes in the same turn harms nobody', async () => {
    const [leaving, staying] = [await member(), await member()];
    say(1);
    rawOf(leaving).close();
    say(2);
    await hasHeard(staying, 2);
    await waitFor(() => leaving.client.disconnected);
    say(3);
    await hasHeard(staying, 3);
    expect(seqsHeardBy(staying)).toEqual([1, 2, 3]);
  });

  test('in a large room, who comes is heard of at once, and who goes hears no more', async () => {
    const many = await Promise.all(Array.from({ length: 60 }, () => member()));
    const [first] = many as [Device];
    say(1);
    await Promise.all(many.map((device) => hasHeard(device, 1)));
    const late = await member();
    first.leave(conversation);
    say(2);
    await Promise.all(
      [late, ...many.slice(1)].map((device) => hasHeard(device, late === device ? 1 : 2)),
    );
    many[1]?.client.disconnect();
    await waitFor(() => !many[1]?.socket.connected);
    say(3);
    await hasHeard(late, 2);
    expect(seqsHeardBy(late)).toEqual([2, 3]);
    expect(seqsHeardBy(first)).toEqual([1]);
  });
});
