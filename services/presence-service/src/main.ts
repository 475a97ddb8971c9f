import { connectNats, createNatsEventBus } from '@bambochat/messaging/nats';
import { listenForOperations, observeMongo, observeNats, runProcess } from '@bambochat/runtime';
import { openMongoStores } from '@bambochat/stores/mongo';
import { openRedisPresenceStore } from '@bambochat/stores/redis';
import { configSchema, presenceDurations } from './config.ts';
import { createPresenceService } from './index.ts';

await runProcess({
  name: 'presence-service',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle }) {
    const durations = presenceDurations(config);
    const stores = await openMongoStores({ url: config.MONGODB_URL });
    lifecycle.defer('mongodb', () => stores.close());
    health.addCheck('mongodb', () => stores.statusStore.check());
    observeMongo(metrics, stores.figures);

    const presenceStore = await openRedisPresenceStore({ url: config.REDIS_URL, durations });
    lifecycle.defer('redis', () => presenceStore.close());
    health.addCheck('redis', () => presenceStore.check());

    const connection = await connectNats({
      url: config.NATS_URL,
      name: 'presence-service',
      logger,
    });
    lifecycle.defer('nats', () => connection.drain());
    health.addCheck('nats', () => connection.ping());
    const bus = createNatsEventBus({ connection });
    observeNats(metrics, connection.figures, () => bus.dropped);

    const service = createPresenceService({
      presenceStore,
      statusStore: stores.statusStore,
      friendStore: stores.friendStore,
      bus,
      durations,
      drainTimeout: config.STOP_TIMEOUT / 2,
      logger,
      metrics,
    });
    await lifecycle.use('presence-service', service);
    return listenForOperations({ config, logger, health, metrics, lifecycle });
  },
});
