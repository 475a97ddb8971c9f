import { createTokenVerifier } from '@bambochat/auth';
import { createRestApp } from '@bambochat/rest';
import { listen, observeMongo, runProcess } from '@bambochat/runtime';
import { openMongoStores } from '@bambochat/stores/mongo';
import { configSchema } from './config.ts';
import { createHistoryService } from './index.ts';

await runProcess({
  name: 'history-service',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle }) {
    const stores = await openMongoStores({ url: config.MONGODB_URL });
    lifecycle.defer('mongodb', () => stores.close());
    health.addCheck('mongodb', () => stores.messageStore.check());
    observeMongo(metrics, stores.figures);

    const app = await createRestApp({
      title: 'BamboChat history',
      description: 'The messages that a user missed.',
      logger,
      health,
      metrics,
      verifier: createTokenVerifier(config),
      isSessionLive: async (id) => (await stores.directoryStore.session(id)) !== null,
      trustProxy: config.TRUST_PROXY,
      allowedOrigins: config.ALLOWED_ORIGINS,
    });
    await lifecycle.use('history-service', createHistoryService({ app, ...stores }));
    return listen({ app, config, lifecycle });
  },
});
