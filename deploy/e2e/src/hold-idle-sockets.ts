import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { signToken } from './forged-tokens.ts';

/*
 * The process that `idle-sockets.ts` runs: opens sockets and holds them, Engine.IO and Socket.IO
 * spoken by hand, so that a machine that is busy with the servers can hold many.
 */

/** What it is told: once for each lot of sockets. */
export interface OpenOrder {
  readonly urls: readonly string[];
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  /** Users are `<prefix>-<number>`, one for each socket; they need no account. */
  readonly prefix: string;
  readonly first: number;
  readonly count: number;
  /** Handshakes in flight. */
  readonly concurrency: number;
}

/** What it says: `opened` when an order is done, `lost` when sockets went that were open. */
export type Progress =
  | { readonly kind: 'opened'; readonly opened: number; readonly failures: readonly string[] }
  | { readonly kind: 'lost'; readonly lost: number };

const HANDSHAKE_TIMEOUT = 30_000;
const ATTEMPTS = 5;
const RETRY_AFTER = 500;
const TOKEN_LIFE = 24 * 3600;
/** On systems whose whole network 127.0.0.0/8 is the machine, further sources of connections. */
const SOURCES_MAX = 64;
const FAILURES_SHOWN = 10;

let source = 1;
let lost = 0;

function tokenOf(order: OpenOrder, userId: string): string {
  const iat = Math.floor(Date.now() / 1000);
  const { issuer: iss, audience: aud, secret } = order;
  const claims = { sub: userId, userId, iss, aud, iat, exp: iat + TOKEN_LIFE, jti: randomUUID() };
  return signToken(claims, secret);
}

/** Resolves when the namespace is open. @throws Error when it is refused or takes too long */
function open(order: OpenOrder, index: number): Promise<void> {
  const { urls, prefix } = order;
  const url = new URL('/socket.io/?EIO=4&transport=websocket', urls[index % urls.length]);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    ...(source === 1 ? {} : { localAddress: `127.0.0.${source}` }),
  });
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const late = setTimeout(() => fail(new Error('no answer in time')), HANDSHAKE_TIMEOUT);
    const fail = (error: Error) => {
      clearTimeout(late);
      socket.terminate();
      reject(error);
    };
    socket.on('error', fail);
    socket.on('close', () => {
      if (isOpen) {
        lost += 1;
      }
      fail(new Error('closed'));
    });
    socket.on('message', (data, isBinary) => {
      const frame = isBinary ? '' : data.toString();
      if (frame === '2') {
        socket.send('3');
      } else if (frame.startsWith('0{')) {
        socket.send(`40${JSON.stringify({ token: tokenOf(order, `${prefix}-${index}`) })}`);
      } else if (frame.startsWith('40{')) {
        isOpen = true;
        clearTimeout(late);
        resolve();
      } else if (frame.startsWith('44')) {
        fail(new Error(frame.slice(2, 200)));
      }
    });
  });
}

async function openOrGiveUp(order: OpenOrder, index: number): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const from = source;
    try {
      await open(order, index);
      return null;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRNOTAVAIL' && from < SOURCES_MAX) {
        // All ports of this address are taken; others may have found that out already.
        source = Math.max(source, from + 1);
      } else if (attempt >= ATTEMPTS) {
        return message;
      } else {
        await delay(RETRY_AFTER * attempt);
      }
    }
  }
}

async function obey(order: OpenOrder): Promise<void> {
  const failures: string[] = [];
  let opened = 0;
  let next = order.first;
  const end = order.first + order.count;
  await Promise.all(
    Array.from({ length: order.concurrency }, async () => {
      while (next < end) {
        const index = next;
        next += 1;
        const failure = await openOrGiveUp(order, index);
        if (failure === null) {
          opened += 1;
        } else if (failures.length < FAILURES_SHOWN) {
          failures.push(failure);
        }
      }
    }),
  );
  say({ kind: 'opened', opened, failures });
}

function say(progress: Progress): void {
  process.send?.(progress);
}

process.on('message', (order: OpenOrder) => void obey(order));
// The parent is gone: nobody needs the sockets.
process.on('disconnect', () => process.exit());
let told = 0;
setInterval(() => {
  if (lost > told) {
    told = lost;
    say({ kind: 'lost', lost });
  }
}, 500);
