import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { Health } from './health.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { registerOperations } from './operations.ts';

/** Milliseconds for a client to send a whole request, body and headers. */
const REQUEST_TIMEOUT = 10_000;

/**
 * Listens on `HOST`:`PORT` and closes last but before the brokers, so that `/readyz` says
 * "draining" for as long as the process drains.
 */
export async function listen(options: {
  app: FastifyInstance;
  config: { HOST: string; PORT: number };
  lifecycle: Lifecycle;
}): Promise<{ url: string }> {
  const { app, config, lifecycle } = options;
  await app.listen({ host: config.HOST, port: config.PORT });
  lifecycle.defer('http', () => app.close());
  const address = app.server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('the server listens on no port');
  }
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${host}:${address.port}` };
}

/** An application with nothing but the operators' routes, for a service without a REST interface. */
export function createOperationsApp(options: {
  logger: Logger;
  health: Health;
  metrics: Metrics;
}): FastifyInstance {
  const app = fastify({
    loggerInstance: options.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: REQUEST_TIMEOUT,
  });
  registerOperations(app, options);
  return app;
}

/** Starts {@link createOperationsApp} and listens. */
export function listenForOperations(options: {
  config: { HOST: string; PORT: number };
  logger: Logger;
  health: Health;
  metrics: Metrics;
  lifecycle: Lifecycle;
}): Promise<{ url: string }> {
  return listen({ ...options, app: createOperationsApp(options) });
}
