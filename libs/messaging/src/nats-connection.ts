import { unavailable } from '@bambochat/protocol';
import type { ConnectionOptions, Msg, MsgHdrs, NatsConnection as NatsClient } from 'nats';
import { connect, Events } from 'nats';
import { pause } from './backoff.ts';
import type { Subscription } from './event-bus.ts';
import { natsFailure } from './nats-errors.ts';
import { readNatsUrl } from './nats-server-address.ts';
import { settlesWithin } from './settles-within.ts';

/** The part of a pino logger that is used here. */
export interface MessagingLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ConnectNatsOptions {
  /** `nats://…` or `tls://…`, credentials included; several of one cluster separated by commas. */
  url: string;
  /** Shown in the server's list of connections. */
  name: string;
  logger?: MessagingLogger;
  /** How long the first connect may take, retries included, in ms. Default 15,000. */
  connectTimeout?: number;
}

/**
 * One connection to NATS, which repairs itself for ever. Command log and event bus of a process
 * share it.
 */
export interface NatsConnection {
  /** For the adapters in this package. */
  readonly client: NatsClient;
  readonly logger: MessagingLogger;
  /** Settles when the connection is closed for good: by {@link close}, or with the reason. */
  readonly closed: Promise<Error | undefined>;
  isConnected(): boolean;
  /** Since the start; for metrics. */
  figures(): NatsFigures;
  /**
   * Asks the server and waits for its answer; for `/readyz`. Default timeout 1000 ms.
   * @throws AppError `UNAVAILABLE`.
   */
  ping(timeout?: number): Promise<void>;
  /**
   * One request, one answer. Unlike nats.js's own it does not sit out the timeout when the
   * connection breaks. An answer may still have been on its way: the outcome is unknown then.
   * @throws NatsError, or Error when the connection is or gets lost; for `natsFailure`.
   */
  request(
    subject: string,
    data: Uint8Array,
    timeout: number,
    headers?: MsgHdrs | undefined,
  ): Promise<Msg>;
  onDisconnect(listener: () => void): Subscription;
  /** Told each time a lost connection is back; subscriptions are active again then. */
  onReconnect(listener: () => void): Subscription;
  /** Delivers and sends what is under way, then closes; at most `timeout` ms. Default 5000. */
  drain(timeout?: number): Promise<void>;
  close(): Promise<void>;
}

export interface NatsFigures {
  readonly connected: boolean;
  /** Times that the connection was lost, and that it came back. */
  readonly disconnects: number;
  readonly reconnects: number;
}

const silent: MessagingLogger = { info() {}, warn() {}, error() {} };

/** Shortest time between two attempts to connect; up to as much again is added at random. */
const RECONNECT_WAIT = 250;
const DIAL_TIMEOUT = 5000;
/** A server that hangs is noticed after two to three of these. */
const PING_INTERVAL = 5000;

/**
 * @throws Error when no server could be reached within `connectTimeout`; names the URL without its
 *   credentials and what to do.
 */
export async function connectNats(options: ConnectNatsOptions): Promise<NatsConnection> {
  const { url, name, logger = silent, connectTimeout = 15_000 } = options;
  const address = readNatsUrl(url);
  const client = await dial(
    {
      ...address.options,
      name,
      timeout: Math.min(DIAL_TIMEOUT, connectTimeout),
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_WAIT,
      reconnectJitter: RECONNECT_WAIT,
      pingInterval: PING_INTERVAL,
      maxPingOut: 2,
      // A refused password may be one that is being rotated: nats.js would give up for good.
      ignoreAuthErrorAbort: true,
      // A stack trace per request costs more than the request.
      noAsyncTraces: true,
    },
    address.printable,
    connectTimeout,
  );
  return superviseConnection(client, logger, address.printable);
}

async function dial(
  options: ConnectionOptions,
  printable: string,
  connectTimeout: number,
): Promise<NatsClient> {
  const deadline = performance.now() + connectTimeout;
  for (;;) {
    try {
      return await connect(options);
    } catch (error) {
      const wait = RECONNECT_WAIT * (1 + Math.random());
      if (performance.now() + wait >= deadline) {
        throw new Error(
          `No NATS server could be reached at ${printable} within ${connectTimeout} ms. ` +
            'Start one with JetStream (nats-server -js), or correct NATS_URL and its credentials',
          { cause: error },
        );
      }
      await pause(wait);
    }
  }
}

function notConnected(): Error {
  return new Error('no connection to NATS');
}

function superviseConnection(
  client: NatsClient,
  logger: MessagingLogger,
  server: string,
): NatsConnection {
  const disconnectListeners = new Set<() => void>();
  const reconnectListeners = new Set<() => void>();
  /** Requests under way, to be given up when the connection breaks. */
  const requests = new Set<(error: Error) => void>();
  let connected = true;
  let disconnects = 0;
  let reconnects = 0;

  const notify = (listeners: Set<() => void>) => {
    for (const listener of [...listeners]) {
      try {
        listener();
      } catch (error) {
        logger.error({ err: error }, 'a listener of the NATS connection threw');
      }
    }
  };

  const lost = () => {
    connected = false;
    for (const giveUp of requests) giveUp(notConnected());
    requests.clear();
  };

  async function followStatus(): Promise<void> {
    for await (const status of client.status()) {
      if (status.type === Events.Disconnect) {
        disconnects += 1;
        logger.warn({ server }, 'connection to NATS lost');
        lost();
        notify(disconnectListeners);
      } else if (status.type === Events.Reconnect) {
        connected = true;
        reconnects += 1;
        logger.info({ server }, 'connection to NATS is back');
        notify(reconnectListeners);
      } else if (status.type === Events.Error) {
        logger.error({ server, code: String(status.data) }, 'NATS reported an error');
      }
    }
  }

  void followStatus();

  const closed = client.closed().then((error) => {
    lost();
    if (error) logger.error({ server, err: error }, 'connection to NATS closed for good');
    return error instanceof Error ? error : undefined;
  });

  const listen = (listeners: Set<() => void>, listener: () => void): Subscription => {
    // Wrapped, so that the same function can be registered twice and taken away once.
    const entry = () => listener();
    listeners.add(entry);
    return { unsubscribe: () => listeners.delete(entry) };
  };

  return {
    client,
    logger,
    closed,
    isConnected: () => connected && !client.isClosed(),
    figures: () => ({ connected: connected && !client.isClosed(), disconnects, reconnects }),

    async ping(timeout = 1000) {
      if (!connected || client.isClosed()) throw unavailable('NATS');
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(unavailable('NATS')), timeout);
      client.flush().then(resolve, (error) => reject(natsFailure(error, 'NATS')));
      await promise.finally(() => clearTimeout(timer));
    },

    request(subject, data, timeout, headers) {
      // While disconnected nats.js would keep the request and send it whenever it can: long after
      // the caller has been told that it failed.
      if (!connected) return Promise.reject(notConnected());
      const { promise, resolve, reject } = Promise.withResolvers<Msg>();
      requests.add(reject);
      client
        .request(subject, data, headers === undefined ? { timeout } : { timeout, headers })
        .then(resolve, reject)
        .finally(() => requests.delete(reject));
      return promise;
    },

    onDisconnect: (listener) => listen(disconnectListeners, listener),
    onReconnect: (listener) => listen(reconnectListeners, listener),

    async drain(timeout = 5000) {
      if (client.isClosed()) return;
      if (connected) await settlesWithin(client.drain(), timeout);
      await client.close();
    },

    close: () => client.close(),
  };
}
