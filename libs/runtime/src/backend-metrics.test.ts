import { expect, test } from 'vitest';
import { observeMongo, observeNats, observeRooms } from './backend-metrics.ts';
import { createMetrics } from './metrics.ts';

function empty() {
  const metrics = createMetrics({ processMetrics: false });
  return { metrics, body: async () => (await metrics.render()).body };
}

test('the connection to NATS is read for each scrape', async () => {
  const { metrics, body } = empty();
  const figures = { connected: true, disconnects: 0, reconnects: 0 };
  let dropped = 0;
  observeNats(
    metrics,
    () => figures,
    () => dropped,
  );
  expect(await body()).toContain('bambochat_nats_connected 1');
  Object.assign(figures, { connected: false, disconnects: 3, reconnects: 2 });
  dropped = 7;
  const text = await body();
  expect(text).toContain('bambochat_nats_connected 0');
  expect(text).toContain('bambochat_nats_disconnects_total 3');
  expect(text).toContain('bambochat_nats_reconnects_total 2');
  expect(text).toContain('bambochat_bus_events_dropped_total 7');
  // A counter shows what there was, however often it is asked.
  expect(await body()).toContain('bambochat_bus_events_dropped_total 7');
});

test('rooms on Redis tell of Redis, others do not', async () => {
  const redis = {
    connections: [
      { role: 'publisher', ready: true, connects: 2 },
      { role: 'subscriber', ready: false, connects: 1 },
    ],
    subscriptions: 10,
    resubscriptions: 20,
    interruptions: 1,
    published: 30,
    dropped: 4,
    malformed: 6,
    pending: 5,
  };
  const { metrics, body } = empty();
  observeRooms(metrics, () => ({ broadcasts: 6, deliveries: 600, redis }));
  const text = await body();
  expect(text).toContain('bambochat_deliveries_total 600');
  expect(text).toContain('bambochat_rooms_redis_ready{connection="subscriber"} 0');
  expect(text).toContain('bambochat_rooms_redis_connects_total{connection="publisher"} 2');
  expect(text).toContain('bambochat_rooms_resubscriptions_total 20');
  expect(text).toContain('bambochat_rooms_emits_dropped_total 4');
  expect(text).toContain('bambochat_rooms_events_malformed_total 6');
  expect(text).toContain('bambochat_rooms_emits_pending 5');

  const alone = empty();
  observeRooms(alone.metrics, () => ({ broadcasts: 1, deliveries: 2 }));
  expect(await alone.body()).toContain('bambochat_broadcasts_total 1');
  expect(await alone.body()).not.toContain('redis');
});

test("the driver's pools are read for each scrape", async () => {
  const { metrics, body } = empty();
  const figures = {
    connections: 4,
    inUse: 1,
    checkoutFailures: 2,
    poolsCleared: 3,
    heartbeatFailures: 5,
  };
  observeMongo(metrics, () => figures);
  const text = await body();
  expect(text).toContain('bambochat_mongodb_connections 4');
  expect(text).toContain('bambochat_mongodb_connections_in_use 1');
  expect(text).toContain('bambochat_mongodb_checkout_failures_total 2');
  expect(text).toContain('bambochat_mongodb_pool_clears_total 3');
  expect(text).toContain('bambochat_mongodb_heartbeat_failures_total 5');
});
