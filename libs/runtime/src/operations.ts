import type { FastifyInstance } from 'fastify';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

/** `/healthz` (the process lives), `/readyz` (each dependency by name), `/metrics` (Prometheus). */
export function registerOperations(
  app: FastifyInstance,
  { health, metrics }: { health: Health; metrics: Metrics },
): void {
  observeHealth(metrics, health);
  const quiet = { logLevel: 'warn' } as const;
  app.get('/healthz', quiet, async () => ({ status: 'ok' }));
  app.get('/readyz', quiet, async (_request, reply) => {
    const readiness = await health.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });
  app.get('/metrics', quiet, async (_request, reply) => {
    const { contentType, body } = await metrics.render();
    return reply.header('content-type', contentType).send(body);
  });
}

/** Asks the dependencies at each scrape, within the time that `health` gives them. */
export function observeHealth(metrics: Metrics, health: Health): void {
  metrics.read({
    type: 'gauge',
    name: 'bambochat_dependency_up',
    help: 'Whether the dependency answers (1) or not within its time (0), asked for each scrape.',
    labelNames: ['dependency'],
    async read() {
      const { checks } = await health.readiness();
      return Object.entries(checks).map(([dependency, outcome]) => ({
        labels: { dependency },
        value: outcome === 'ok' ? 1 : 0,
      }));
    },
  });
  metrics.read({
    type: 'gauge',
    name: 'bambochat_draining',
    help: 'Whether the process drains: it was told to stop and takes nothing new.',
    read: () => (health.draining ? 1 : 0),
  });
}
