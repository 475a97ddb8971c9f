import type { Backend } from '@bambochat/testing';
import { waitFor } from '@bambochat/testing';
import type { CommandLog } from './command-log.ts';
import type { JetStreamCommandLogOptions } from './command-log-jetstream.ts';
import { createJetStreamCommandLog } from './command-log-jetstream.ts';
import type { NatsConnection } from './nats-connection.ts';
import { connectNats } from './nats-connection.ts';

export interface OpenedLog {
  readonly connection: NatsConnection;
  readonly log: CommandLog;
}

/** Streams of one test on a shared server, and the connections that it opens. */
export interface JetStreamStorage extends AsyncDisposable {
  readonly names: ReturnType<typeof storageNames>;
  open(options?: Partial<JetStreamCommandLogOptions>): Promise<OpenedLog>;
}

/** The options that keep one test's streams apart from another's. */
export function storageNames(name: string) {
  return {
    streamName: `${name}-commands`,
    subject: `${name}.commands`,
    deadLetterStream: `${name}-dead`,
    deadLetterSubject: `${name}.dead`,
  };
}

/** Resolves when the server really hangs: SIGSTOP takes its time on a busy machine. */
export async function hang(server: Backend, connection: NatsConnection): Promise<void> {
  await server.pause();
  await waitFor(() =>
    connection.ping(100).then(
      () => false,
      () => true,
    ),
  );
}

let storages = 0;

export function jetStreamStorage(url: string): JetStreamStorage {
  storages += 1;
  const name = `test-${process.pid}-${storages}`;
  const names = storageNames(name);
  const connections: NatsConnection[] = [];
  return {
    names,
    async open(options = {}) {
      const connection = await connectNats({ url, name });
      connections.push(connection);
      const log = await createJetStreamCommandLog({
        connection,
        partitions: 2,
        maxBytes: 16 * 1024 ** 2,
        deadLetterMaxBytes: 1024 ** 2,
        ...names,
        ...options,
      });
      return { connection, log };
    },
    async [Symbol.asyncDispose]() {
      const alive = connections.find((connection) => connection.isConnected());
      const manager = await alive?.client.jetstreamManager();
      for (const stream of [names.streamName, names.deadLetterStream]) {
        // Some tests delete them, or never make them.
        await manager?.streams.delete(stream).catch(() => {});
      }
      await Promise.all(connections.map((connection) => connection.drain()));
    },
  };
}
