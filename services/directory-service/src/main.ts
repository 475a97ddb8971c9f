import { createTokenIssuer, createTokenVerifier } from '@bambochat/auth';
import { connectNats, createNatsEventBus } from '@bambochat/messaging/nats';
import { createRestApp } from '@bambochat/rest';
import { listen, observeMongo, observeNats, runProcess } from '@bambochat/runtime';
import { openMongoStores } from '@bambochat/stores/mongo';
import { configSchema } from './config.ts';
import { createDirectoryService } from './index.ts';

await runProcess({
  name: 'directory-service',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle }) {
    const stores = await openMongoStores({ url: config.MONGODB_URL });
    lifecycle.defer('mongodb', () => stores.close());
    health.addCheck('mongodb', () => stores.directoryStore.check());
    observeMongo(metrics, stores.figures);

    const connection = await connectNats({
      url: config.NATS_URL,
      name: 'directory-service',
      logger,
    });
    lifecycle.defer('nats', () => connection.drain());
    health.addCheck('nats', () => connection.ping());
    const bus = createNatsEventBus({ connection });
    observeNats(metrics, connection.figures, () => bus.dropped);

    const verifier = createTokenVerifier(config);
    const app = await createRestApp({
      title: 'BamboChat directory',
      description: 'Accounts, friends, conversations and participants: who may talk to whom.',
      logger,
      health,
      metrics,
      verifier,
      isSessionLive: async (id) => (await stores.directoryStore.session(id)) !== null,
      trustProxy: config.TRUST_PROXY,
      allowedOrigins: config.ALLOWED_ORIGINS,
    });
    const service = createDirectoryService({
      app,
      directoryStore: stores.directoryStore,
      messageStore: stores.messageStore,
      friendStore: stores.friendStore,
      statusStore: stores.statusStore,
      syncStore: stores.syncStore,
      bus,
      issuer: createTokenIssuer(config),
      verifier,
      settings: config,
      logger,
      metrics,
    });
    await lifecycle.use('directory-service', service);
    return listen({ app, config, lifecycle });
  },
});
