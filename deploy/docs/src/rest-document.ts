import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTokenIssuer, createTokenVerifier, type IssuerConfig } from '@bambochat/auth';
import { createDirectoryService, type DirectorySettings } from '@bambochat/directory-service';
import { createHistoryService } from '@bambochat/history-service';
import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { createRestApp } from '@bambochat/rest';
import { createHealth, createLifecycle, createLogger, createMetrics } from '@bambochat/runtime';
import { openSqliteStores } from '@bambochat/stores/sqlite';

/** Of an application that nobody can reach: nothing here is secret, and nothing is written down. */
const keys: IssuerConfig = {
  JWT_ALGORITHM: 'HS256',
  JWT_SECRET: 'only for asking an application which routes it has',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
  ACCESS_TOKEN_TTL: 60_000,
  REFRESH_TOKEN_TTL: 60_000,
};

const settings: DirectorySettings = {
  PASSWORD_SCRYPT_COST: 14,
  AUTH_REQUESTS_PER_ADDRESS: 1,
  LOGIN_FAILURES_PER_ACCOUNT: 1,
  AUTH_LIMIT_WINDOW: 1000,
  CONVERSATIONS_PER_USER_MAX: 1,
  FRIENDS_PER_USER_MAX: 1,
  BLOCKS_PER_USER_MAX: 1,
};

/**
 * The OpenAPI document of the REST services, as they serve it at `/openapi.json` themselves. Both
 * put their routes on one application: what they describe differently cannot go unnoticed.
 */
export async function restDocument(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bambochat-docs-'));
  const logger = createLogger({ name: 'docs', level: 'silent' });
  const lifecycle = createLifecycle(logger);
  try {
    const stores = openSqliteStores({ path: join(folder, 'empty.sqlite') });
    lifecycle.defer('stores', () => stores.close());
    const verifier = createTokenVerifier(keys);
    const metrics = createMetrics({ processMetrics: false });
    const app = await createRestApp({
      title: 'BamboChat',
      description:
        'Accounts, friends and conversations (directory-service), messages that a user missed (history-service). Live events go over Socket.IO: asyncapi-socketio.yaml.',
      logger,
      health: createHealth(),
      metrics,
      verifier,
    });
    lifecycle.defer('app', () => app.close());
    const shared = { ...stores, app, verifier, logger, metrics, bus: createMemoryEventBus() };
    const issuer = createTokenIssuer(keys);
    const directory = createDirectoryService({ ...shared, issuer, settings });
    await lifecycle.use('directory-service', directory);
    await lifecycle.use('history-service', createHistoryService(shared));
    await app.ready();
    return `${JSON.stringify(app.swagger(), null, 2)}\n`;
  } finally {
    await lifecycle.stop(10_000);
    await rm(folder, { recursive: true, force: true });
  }
}
