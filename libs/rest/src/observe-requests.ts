import type { Metrics } from '@bambochat/runtime';
import type { FastifyInstance } from 'fastify';

export function createRestMetrics(metrics: Metrics) {
  return {
    duration: metrics.histogram({
      name: 'bambochat_http_request_duration_seconds',
      help: 'From the request line to the end of the answer, by route pattern.',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    }),
  };
}

/**
 * One log line and one observation per request. The route's pattern stands for the address: paths
 * and queries hold ids and search terms, and would be unlimited labels.
 */
export function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  const { duration } = createRestMetrics(metrics);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unmatched';
    const { method } = request;
    const status = reply.statusCode;
    duration.observe({ route, method, status }, reply.elapsedTime / 1000);
    request.log.info(
      { route, method, status, duration: Math.round(reply.elapsedTime * 10) / 10 },
      'request finished',
    );
  });
}
