import { AppError } from '@bambochat/protocol';
import type { Msg } from 'nats';
import { answerRequest, readAnswer } from './answer-request.ts';
import type { EventBus, Subscription } from './event-bus.ts';
import { encodeJson } from './json-payload.ts';
import type { NatsConnection } from './nats-connection.ts';
import { natsFailure } from './nats-errors.ts';
import { settlesWithin } from './settles-within.ts';
import { assertSubject, assertSubjectPattern } from './subject.ts';

export interface NatsEventBusOptions {
  connection: NatsConnection;
  /** Bytes published and not yet known to have left; past it events are dropped. Default 16 MiB. */
  maxUnsentBytes?: number;
  /** Told when a subscriber's handler threw; the bus goes on. Default: logged. */
  onHandlerError?: (error: unknown, subject: string) => void;
}

export interface NatsEventBus extends EventBus {
  /** Events that could not leave, and payloads that were no JSON. */
  readonly dropped: number;
}

/** Once so much was published, the server is asked whether it has it. */
const CHECKPOINT_BYTES = 256 * 1024;
const FLUSH_TIMEOUT = 5000;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** The event bus on core NATS. The connection stays the caller's. */
export function createNatsEventBus(options: NatsEventBusOptions): NatsEventBus {
  const { connection, maxUnsentBytes = 16 * 1024 ** 2 } = options;
  const { onHandlerError = logHandlerError } = options;
  const { client } = connection;
  let dropped = 0;
  /** Published since the last checkpoint, and before it but not confirmed yet. */
  let sinceCheckpoint = 0;
  let unconfirmed = 0;

  function logHandlerError(error: unknown, subject: string): void {
    connection.logger.error({ subject, err: error }, 'an event handler threw');
  }

  /** A server that hangs with its connection open must not make this process grow. */
  function countUnsent(bytes: number): void {
    sinceCheckpoint += bytes;
    if (unconfirmed > 0 || sinceCheckpoint < CHECKPOINT_BYTES) return;
    unconfirmed = sinceCheckpoint;
    sinceCheckpoint = 0;
    const confirmed = () => {
      unconfirmed = 0;
    };
    // Rejects when the connection breaks: nats.js has forgotten what was unsent then.
    client.flush().then(confirmed, confirmed);
  }

  function decode(message: Msg): { payload: unknown } | undefined {
    try {
      return { payload: JSON.parse(decoder.decode(message.data)) };
    } catch {
      dropped += 1;
      return undefined;
    }
  }

  /** nats.js calls `receive` synchronously, so nothing queues up; a throw would end its reader. */
  function listen(
    subject: string,
    queue: string | undefined,
    receive: (message: Msg) => void,
  ): Subscription {
    assertSubjectPattern(subject);
    const subscription = client.subscribe(subject, {
      ...(queue === undefined ? {} : { queue }),
      callback(error, message) {
        if (error) {
          connection.logger.error({ subject, err: error }, 'an event subscription was refused');
          return;
        }
        try {
          receive(message);
        } catch (thrown) {
          onHandlerError(thrown, message.subject);
        }
      },
    });
    return { unsubscribe: () => subscription.unsubscribe() };
  }

  async function reply(
    message: Msg,
    answer: (payload: unknown) => Promise<string>,
    payload: unknown,
  ): Promise<void> {
    const json = await answer(payload);
    try {
      message.respond(encoder.encode(json));
    } catch (error) {
      // Too large, or the connection is closed: the caller's timeout tells.
      onHandlerError(error, message.subject);
    }
  }

  return {
    get dropped() {
      return dropped;
    },

    publish(subject, payload) {
      assertSubject(subject);
      const json = encodeJson(payload);
      if (
        json === undefined ||
        !connection.isConnected() ||
        sinceCheckpoint + unconfirmed >= maxUnsentBytes
      ) {
        dropped += 1;
        return;
      }
      const data = encoder.encode(json);
      try {
        client.publish(subject, data);
        countUnsent(data.length);
      } catch {
        // Larger than the server takes, or closing.
        dropped += 1;
      }
    },

    subscribe(subject, handler, { queue } = {}) {
      return listen(subject, queue, (message) => {
        // A request is for responders.
        if (message.reply) return;
        const decoded = decode(message);
        if (decoded) handler(decoded.payload, message.subject);
      });
    },

    async request(subject, payload, { timeout = 2000 } = {}) {
      assertSubject(subject);
      const json = encodeJson(payload);
      if (json === undefined) throw new TypeError('the payload of a request must be JSON');
      try {
        const message = await connection.request(subject, encoder.encode(json), timeout);
        return readAnswer(decoder.decode(message.data));
      } catch (error) {
        throw error instanceof AppError ? error : natsFailure(error, 'The service');
      }
    },

    respond(subject, handler, { queue, concurrency = 256 }) {
      const answer = answerRequest(handler, concurrency);
      return listen(subject, queue, (message) => {
        if (!message.reply) return;
        const decoded = decode(message);
        // `reply` never rejects.
        if (decoded) void reply(message, answer, decoded.payload);
      });
    },

    async flush() {
      if (!connection.isConnected()) return false;
      let flushed = false;
      const flush = client.flush().then(() => {
        flushed = true;
      });
      await settlesWithin(flush, FLUSH_TIMEOUT);
      return flushed;
    },

    onReconnect: (listener) => connection.onReconnect(listener),
  };
}
