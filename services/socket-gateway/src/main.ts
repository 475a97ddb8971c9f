import { createTokenVerifier } from '@bambochat/auth';
import {
  connectNats,
  createJetStreamCommandLog,
  createNatsEventBus,
} from '@bambochat/messaging/nats';
import type { GatewayId } from '@bambochat/protocol';
import { createRedisRooms } from '@bambochat/rooms/redis';
import {
  createOperationsApp,
  listen,
  observeNats,
  observeRooms,
  runProcess,
} from '@bambochat/runtime';
import { uuidv7 } from 'uuidv7';
import { configSchema, drainOf } from './config.ts';
import { createSocketGateway } from './index.ts';

await runProcess({
  name: 'socket-gateway',
  configSchema,
  async compose({ config, logger, metrics, health, lifecycle, tracer }) {
    const verifier = createTokenVerifier(config);
    const connection = await connectNats({ url: config.NATS_URL, name: 'socket-gateway', logger });
    lifecycle.defer('nats', () => connection.drain());
    health.addCheck('nats', () => connection.ping());
    const bus = createNatsEventBus({ connection });
    observeNats(metrics, connection.figures, () => bus.dropped);

    const rooms = await createRedisRooms({ url: config.REDIS_URL, logger });
    lifecycle.defer('redis', () => rooms.stop());
    health.addCheck('redis', () => rooms.check());
    observeRooms(metrics, rooms.figures);

    const app = createOperationsApp({ logger, health, metrics });
    // A long-polling client may use two.
    app.server.maxConnections = 2 * config.MAX_CONNECTIONS;
    const running = await listen({ app, config, lifecycle });
    await lifecycle.use(
      'socket-gateway',
      createSocketGateway({
        httpServer: app.server,
        gatewayId: uuidv7() as GatewayId,
        verifier,
        commandLog: await createJetStreamCommandLog({
          connection,
          partitions: config.COMMAND_PARTITIONS,
          replicas: config.COMMAND_REPLICAS,
        }),
        bus,
        rooms,
        settings: config,
        drainTimeout: config.STOP_TIMEOUT / 4,
        drain: drainOf(config),
        logger,
        metrics,
        tracer,
      }),
    );
    return running;
  },
});
