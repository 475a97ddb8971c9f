import { notFound } from '@bambochat/protocol';
import { answerError } from '@bambochat/rest';
import { createOperationsApp, listen, runProcess } from '@bambochat/runtime';
import { configSchema } from './config.ts';
import { createWebService } from './index.ts';

const CONNECTIONS_MAX = 10_000;

await runProcess({
  name: 'web',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle }) {
    const app = createOperationsApp({ logger, metrics, health });
    app.server.maxConnections = CONNECTIONS_MAX;
    // Errors in the words of the REST services, which people meet at the same address.
    app.setErrorHandler(answerError);
    app.setNotFoundHandler(async () => {
      throw notFound('Route');
    });
    await lifecycle.use('web', createWebService({ app }));
    return listen({ app, config, lifecycle });
  },
});
