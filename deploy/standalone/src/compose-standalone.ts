import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createTokenIssuer, createTokenVerifier, loadOrCreateSecret } from '@bambochat/auth';
import { createDirectoryService } from '@bambochat/directory-service';
import { createHistoryService } from '@bambochat/history-service';
import { createMessageService } from '@bambochat/message-service';
import { createMemoryCommandLog, createMemoryEventBus } from '@bambochat/messaging/memory';
import { createPresenceService, presenceDurations } from '@bambochat/presence-service';
import type { GatewayId } from '@bambochat/protocol';
import { createRestApp } from '@bambochat/rest';
import { createMemoryRooms } from '@bambochat/rooms/memory';
import { listen, observeRooms, type ProcessContext } from '@bambochat/runtime';
import { createSocketGateway } from '@bambochat/socket-gateway';
import { createMemoryPresenceStore } from '@bambochat/stores/memory';
import { openSqliteStores } from '@bambochat/stores/sqlite';
import type { StandaloneConfig } from './config.ts';
import { databaseIn, openControlSocket } from './control-socket.ts';

/** The services of the distributed system, by the same factories, on embedded engines. */
export async function composeStandalone(
  context: ProcessContext<StandaloneConfig>,
): Promise<{ url: string }> {
  const { config, logger, metrics, health, lifecycle, tracer } = context;
  await mkdir(config.DATA_DIR, { recursive: true, mode: 0o700 });
  const keys = await withSecret(config);
  const verifier = createTokenVerifier(keys);

  const stores = openSqliteStores({ path: databaseIn(config.DATA_DIR) });
  lifecycle.defer('sqlite', () => stores.close());
  const control = await openControlSocket({
    folder: config.DATA_DIR,
    backup: (path) => stores.backup(path),
    logger,
  });
  lifecycle.defer('control-socket', () => control.close());
  health.addCheck('sqlite', () => stores.messageStore.check());
  const rooms = createMemoryRooms();
  observeRooms(metrics, rooms.figures);
  lifecycle.defer('rooms', () => rooms.stop());
  const durations = presenceDurations(config);
  const presenceStore = createMemoryPresenceStore({ durations });
  lifecycle.defer('presence-store', () => presenceStore.close());
  const bus = createMemoryEventBus();
  const commandLog = createMemoryCommandLog();

  const app = await createRestApp({
    title: 'BamboChat',
    description: 'Accounts, friends, conversations and history. Live events go over Socket.IO.',
    logger,
    health,
    metrics,
    verifier,
    isSessionLive: async (id) => (await stores.directoryStore.session(id)) !== null,
    trustProxy: config.TRUST_PROXY,
    allowedOrigins: config.ALLOWED_ORIGINS,
    maxConnections: config.MAX_CONNECTIONS,
  });
  app.get('/', (_request, reply) => reply.redirect('/docs'));

  const shared = { ...stores, app, bus, commandLog, verifier, logger, metrics, tracer };
  await lifecycle.use(
    'directory-service',
    createDirectoryService({ ...shared, issuer: createTokenIssuer(keys), settings: config }),
  );
  await lifecycle.use('history-service', createHistoryService(shared));
  await lifecycle.use(
    'message-service',
    createMessageService({
      ...shared,
      rooms,
      settings: config,
      drainTimeout: config.STOP_TIMEOUT / 4,
    }),
  );
  await lifecycle.use(
    'presence-service',
    createPresenceService({
      ...shared,
      presenceStore,
      durations,
      drainTimeout: config.STOP_TIMEOUT / 4,
    }),
  );
  const running = await listen({ app, config, lifecycle });
  await lifecycle.use(
    'socket-gateway',
    createSocketGateway({
      ...shared,
      httpServer: app.server,
      // A new one each time, which nobody can know: presence hashes user ids with it.
      gatewayId: randomUUID() as GatewayId,
      rooms,
      settings: config,
      drainTimeout: config.STOP_TIMEOUT / 4,
    }),
  );
  return running;
}

/**
 * With HS256 and no secret of its own, standalone keeps one in its data folder.
 * @throws ConfigError of the token keys, when they are used
 */
async function withSecret(config: StandaloneConfig): Promise<StandaloneConfig> {
  if (config.JWT_ALGORITHM !== 'HS256' || config.JWT_SECRET !== undefined) {
    return config;
  }
  return { ...config, JWT_SECRET: await loadOrCreateSecret(join(config.DATA_DIR, 'jwt-secret')) };
}
