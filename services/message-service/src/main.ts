import {
  connectNats,
  createJetStreamCommandLog,
  createNatsEventBus,
} from '@bambochat/messaging/nats';
import { createRedisRooms } from '@bambochat/rooms/redis';
import {
  listenForOperations,
  observeMongo,
  observeNats,
  observeRooms,
  runProcess,
} from '@bambochat/runtime';
import { openMongoStores } from '@bambochat/stores/mongo';
import { configSchema } from './config.ts';
import { createMessageService } from './index.ts';

await runProcess({
  name: 'message-service',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle, tracer }) {
    const stores = await openMongoStores({ url: config.MONGODB_URL });
    lifecycle.defer('mongodb', () => stores.close());
    health.addCheck('mongodb', () => stores.messageStore.check());
    observeMongo(metrics, stores.figures);

    const connection = await connectNats({ url: config.NATS_URL, name: 'message-service', logger });
    lifecycle.defer('nats', () => connection.drain());
    health.addCheck('nats', () => connection.ping());
    const bus = createNatsEventBus({ connection });
    observeNats(metrics, connection.figures, () => bus.dropped);

    const rooms = await createRedisRooms({ url: config.REDIS_URL, logger });
    lifecycle.defer('redis', () => rooms.stop());
    health.addCheck('redis', () => rooms.check());
    observeRooms(metrics, rooms.figures);

    const service = createMessageService({
      commandLog: await createJetStreamCommandLog({
        connection,
        partitions: config.COMMAND_PARTITIONS,
        replicas: config.COMMAND_REPLICAS,
      }),
      bus,
      rooms,
      messageStore: stores.messageStore,
      directoryStore: stores.directoryStore,
      syncStore: stores.syncStore,
      settings: config,
      drainTimeout: config.STOP_TIMEOUT / 2,
      logger,
      metrics,
      tracer,
    });
    await lifecycle.use('message-service', service);
    return listenForOperations({ config, logger, health, metrics, lifecycle });
  },
});
