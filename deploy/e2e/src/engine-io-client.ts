import { waitFor } from '@bambochat/testing';

const KEPT_FRAMES = 1000;

/**
 * Engine.IO 4 and Socket.IO 5 spoken by hand over a bare WebSocket: what no client library would
 * send can be sent, and what it would hide is seen.
 */
export class EngineIoClient implements Disposable {
  readonly #socket: WebSocket;
  /** Text frames as they came; pings of the server are answered and left out. */
  readonly frames: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', (event) => {
      const data: unknown = event.data;
      if (data === '2') {
        socket.send('3');
      } else if (this.frames.length < KEPT_FRAMES) {
        this.frames.push(typeof data === 'string' ? data : '(binary)');
      }
    });
    // The reason of a failure is in `closed`; without a listener nothing else would happen.
    socket.addEventListener('error', () => {});
  }

  /** Opens the transport; the server's handshake packet is the first frame. */
  static async open(baseUrl: string): Promise<EngineIoClient> {
    const url = new URL('/socket.io/?EIO=4&transport=websocket', baseUrl);
    url.protocol = url.protocol.replace('http', 'ws');
    const client = new EngineIoClient(new WebSocket(url));
    await client.awaitFrame((frame) => frame.startsWith('0{'), 'the Engine.IO handshake');
    return client;
  }

  /** Opens the transport and the namespace `/`. */
  static async connect(baseUrl: string, token: string): Promise<EngineIoClient> {
    const client = await EngineIoClient.open(baseUrl);
    client.send(`40${JSON.stringify({ token })}`);
    await client.awaitFrame((frame) => frame.startsWith('40{'), 'the Socket.IO connect packet');
    return client;
  }

  get closed(): boolean {
    return this.#socket.readyState === WebSocket.CLOSED;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame);
  }

  /** Waits for a frame, come already or not. @throws Error when the connection ends before */
  async awaitFrame(matches: (frame: string) => boolean, describe: string): Promise<string> {
    const found: string | undefined = await waitFor(
      () => this.frames.find(matches) ?? (this.closed ? 'closed' : undefined),
      { describe },
    );
    if (found === undefined || found === 'closed') {
      throw new Error(`The connection was closed before ${describe}`);
    }
    return found;
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
