import { connectNats, createNatsEventBus } from '@bambochat/messaging/nats';
import { openMongoStores } from '@bambochat/stores/mongo';
import { startBackends } from '@bambochat/testing';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Engines } from './directory-fixture.ts';
import { directoryServiceContract } from './directory-service.contract.ts';

describe('directory-service on MongoDB and NATS', () => {
  const opened = new AsyncDisposableStack();
  let engines: Engines;

  beforeAll(async () => {
    const backends = opened.use(await startBackends({ names: ['mongodb', 'nats'] }));
    const stores = await openMongoStores({ url: backends.mongodb.url });
    opened.defer(() => stores.close());
    const { url } = backends.nats;
    const connections = await Promise.all(
      ['service', 'listener', 'second service', 'second listener'].map((name) =>
        connectNats({ url, name }),
      ),
    );
    for (const connection of connections) {
      opened.defer(() => connection.close());
    }
    const buses = connections.map((connection) => createNatsEventBus({ connection }));
    let taken = 0;
    engines = {
      ...stores,
      bus() {
        const bus = buses[taken % buses.length];
        taken += 1;
        if (bus === undefined) {
          throw new Error('no bus');
        }
        return bus;
      },
    };
  });
  afterAll(() => opened.disposeAsync());

  directoryServiceContract(() => engines);
});
