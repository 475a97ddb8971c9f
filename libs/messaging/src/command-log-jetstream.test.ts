import { startBackends } from '@bambochat/testing';
import { afterAll, beforeAll } from 'vitest';
import { commandLogContract } from './command-log.contract.ts';
import { jetStreamStorage } from './jetstream-storage-fixture.ts';

let backends: Awaited<ReturnType<typeof startBackends<'nats'>>>;

beforeAll(async () => {
  backends = await startBackends({ names: ['nats'] });
});

afterAll(() => backends?.stop());

commandLogContract('the JetStream log', async () => {
  const storage = jetStreamStorage(backends.nats.url);
  return {
    async open({ partitions = 4, capacity, handles = 1 }) {
      const options = {
        partitions,
        ackWait: 60_000,
        ...(capacity === undefined ? {} : { maxMessages: capacity }),
      };
      const opened = await Promise.all(
        Array.from({ length: handles }, () => storage.open(options)),
      );
      return opened.map(({ log }) => log);
    },
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
});
