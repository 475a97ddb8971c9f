import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between a client and a server: breaks connections, lets nobody in, swallows what it is told to. */
export interface TcpProxy extends Disposable {
  readonly url: string;
  /** Whether a text frame of a WebSocket, from the server, is swallowed. */
  swallows: (frame: string) => boolean;
  /** Breaks every connection. */
  cut(): void;
  /** Every connection that is there stays open and carries nothing more, in neither direction. */
  freeze(): void;
  /** Whether new connections are taken. */
  open: boolean;
}

export async function startProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const pairs = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  const server = createServer((client) => {
    if (!proxy.open) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    const frames = createFrameFilter((frame) => proxy.swallows(frame));
    upstream.on('data', (chunk: Buffer) => frozen.has(client) || client.write(frames(chunk)));
    client.on('data', (chunk: Buffer) => frozen.has(client) || upstream.write(chunk));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      pairs.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        pairs.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  function cut(): void {
    for (const socket of pairs) {
      socket.destroy();
    }
  }
  const proxy: TcpProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallows: () => false,
    cut,
    freeze() {
      for (const socket of pairs) {
        frozen.add(socket);
      }
    },
    open: true,
    [Symbol.dispose]() {
      server.close();
      cut();
    },
  };
  return proxy;
}

/** Passes on bytes; once they are WebSocket frames of a server, without those to be swallowed. */
function createFrameFilter(swallows: (frame: string) => boolean): (chunk: Buffer) => Buffer {
  let upgraded: boolean | null = null;
  let rest: Buffer = Buffer.alloc(0);

  return (chunk) => {
    if (upgraded === false) {
      return chunk;
    }
    rest = Buffer.concat([rest, chunk]);
    const passed: Buffer[] = [];
    if (upgraded === null) {
      const end = rest.indexOf('\r\n\r\n');
      upgraded = rest.subarray(0, 12).toString() === 'HTTP/1.1 101';
      if (!upgraded || end < 0) {
        passed.push(rest);
        rest = Buffer.alloc(0);
        return Buffer.concat(passed);
      }
      passed.push(rest.subarray(0, end + 4));
      rest = rest.subarray(end + 4);
    }
    for (let size = frameSize(rest); size !== null && size.total <= rest.length; ) {
      const frame = rest.subarray(0, size.total);
      rest = rest.subarray(size.total);
      if (!swallows(frame.subarray(size.head).toString())) {
        passed.push(frame);
      }
      size = frameSize(rest);
    }
    return Buffer.concat(passed);
  };
}

/** RFC 6455, section 5.2; a server's frames are not masked. Null: too little is here to tell. */
function frameSize(bytes: Buffer): { head: number; total: number } | null {
  if (bytes.length < 2) {
    return null;
  }
  const short = bytes.readUInt8(1) & 0x7f;
  if (short < 126) {
    return { head: 2, total: 2 + short };
  }
  if (short === 126) {
    return bytes.length < 4 ? null : { head: 4, total: 4 + bytes.readUInt16BE(2) };
  }
  return bytes.length < 10 ? null : { head: 10, total: 10 + Number(bytes.readBigUInt64BE(2)) };
}
