import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Order, Report } from './worker-protocol.ts';

/** Where a worker finds its coordinator. */
export interface Meeting {
  /** `host:port`. */
  readonly coordinator: string;
  readonly token: string;
  /** Milliseconds for which it tries: the coordinator's pod may start later. */
  readonly joinWithin: number;
}

export interface WorkerConnection {
  say(report: Report): void;
}

/** The coordinator pings every 2 s. */
const SILENCE_MAX = 30_000;
const RETRY_AFTER = 500;
/** Bytes: an order names all conversations. */
const ORDER_MAX = 64 * 2 ** 20;

/**
 * Joins the coordinator. `onGone` is called once, with what has happened, when it is gone without
 * having said goodbye.
 *
 * @throws Error when it cannot be reached within the time, or says no
 */
export async function joinCoordinator(
  { coordinator, token, joinWithin }: Meeting,
  on: {
    order: (order: Exclude<Order, { kind: 'bye' }>) => void;
    bye: () => void;
    gone: (why: string) => void;
  },
): Promise<WorkerConnection> {
  const socket = await connectPatiently(coordinator, token, joinWithin);
  let lastHeard = performance.now();
  let isOver = false;
  const end = (how: () => void) => {
    if (!isOver) {
      isOver = true;
      clearInterval(watch);
      how();
    }
  };
  const watch = setInterval(() => {
    if (performance.now() - lastHeard > SILENCE_MAX) {
      end(() => on.gone(`The coordinator has been silent for ${SILENCE_MAX / 1000} s`));
    }
  }, 1000);
  socket.on('ping', () => {
    lastHeard = performance.now();
  });
  socket.on('error', () => {});
  socket.on('close', (_code, reason) =>
    end(() => on.gone(reason.toString() || 'The coordinator has gone: the run was broken off')),
  );
  socket.on('message', (data: Buffer) => {
    lastHeard = performance.now();
    const order = JSON.parse(data.toString()) as Order;
    if (order.kind === 'bye') {
      end(on.bye);
    } else {
      on.order(order);
    }
  });
  const say = (report: Report) => socket.send(JSON.stringify(report));
  say({ kind: 'joined', host: hostname(), pid: process.pid });
  return { say };
}

async function connectPatiently(
  coordinator: string,
  token: string,
  within: number,
): Promise<WebSocket> {
  const deadline = performance.now() + within;
  for (;;) {
    try {
      return await connect(coordinator, token);
    } catch (error) {
      const { message } = error as Error;
      // 401 stays 401.
      if (message.includes('401') || performance.now() > deadline) {
        throw new Error(`No coordinator at ${coordinator}: ${message}`);
      }
      await pause(RETRY_AFTER);
    }
  }
}

function connect(coordinator: string, token: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://${coordinator}`, {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
      maxPayload: ORDER_MAX,
      handshakeTimeout: 5000,
    });
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
