import type { TokenIssuer, TokenVerifier } from '@bambochat/auth';
import type { EventBus, Subscription } from '@bambochat/messaging';
import type { RestApp } from '@bambochat/rest';
import type { Logger, Metrics, Service } from '@bambochat/runtime';
import type {
  DirectoryStore,
  FriendStore,
  MessageStore,
  StatusStore,
  SyncStore,
} from '@bambochat/stores';
import { createMemberAnnouncer } from './announce-members.ts';
import { answerDirectoryRequests } from './answer-directory-requests.ts';
import { registerAuthRoutes } from './auth-routes.ts';
import { registerBlockRoutes } from './block-routes.ts';
import type { DirectorySettings } from './config.ts';
import { registerConversationRoutes } from './conversation-routes.ts';
import { registerFriendRoutes } from './friend-routes.ts';
import { createPasswords, type DeriveKey } from './hash-password.ts';
import { createAttemptLimits } from './limit-attempts.ts';
import { createFriendTeller } from './tell-friends.ts';
import { registerUserRoutes } from './user-routes.ts';

export { type DirectorySettings, directoryConfig } from './config.ts';

export interface DirectoryServiceOptions {
  /** Must not have served anything yet; `start` puts the routes on it. */
  app: RestApp;
  directoryStore: DirectoryStore;
  messageStore: Pick<MessageStore, 'heads' | 'headPositions' | 'lastOf'>;
  friendStore: FriendStore;
  statusStore: Pick<StatusStore, 'statusesOf'>;
  syncStore: Pick<SyncStore, 'appendChanges' | 'changedAt'>;
  bus: EventBus;
  issuer: TokenIssuer;
  verifier: TokenVerifier;
  settings: DirectorySettings;
  logger: Logger;
  metrics: Metrics;
  /** For tests that count. Default: scrypt of node:crypto. */
  deriveKey?: DeriveKey;
}

/** Cheaper hashes are for tests and load. */
const SAFE_SCRYPT_COST = 14;

/** Accounts, friends, conversations and participants, over REST and on the bus. Any number may run. */
export function createDirectoryService(options: DirectoryServiceOptions): Service {
  const { app, bus, settings } = options;
  let subscriptions: Subscription[] = [];

  return {
    async start() {
      if (settings.PASSWORD_SCRYPT_COST < SAFE_SCRYPT_COST) {
        options.logger.warn(
          { cost: settings.PASSWORD_SCRYPT_COST },
          'password hashes are too cheap for real passwords',
        );
      }
      const passwords = await createPasswords({
        cost: settings.PASSWORD_SCRYPT_COST,
        ...(options.deriveKey === undefined ? {} : { deriveKey: options.deriveKey }),
      });
      const limits = createAttemptLimits({
        requestsPerAddress: settings.AUTH_REQUESTS_PER_ADDRESS,
        failuresPerAccount: settings.LOGIN_FAILURES_PER_ACCOUNT,
        window: settings.AUTH_LIMIT_WINDOW,
      });
      const announceMembers = createMemberAnnouncer(options);
      const tellFriends = createFriendTeller(options);

      registerAuthRoutes(app, { ...options, passwords, limits });
      registerUserRoutes(app, options);
      const friendsPerUser = settings.FRIENDS_PER_USER_MAX;
      registerFriendRoutes(app, { ...options, tellFriends, friendsPerUser });
      const blocksPerUser = settings.BLOCKS_PER_USER_MAX;
      registerBlockRoutes(app, { ...options, tellFriends, blocksPerUser });
      registerConversationRoutes(app, {
        ...options,
        announceMembers,
        conversationsPerUser: settings.CONVERSATIONS_PER_USER_MAX,
      });
      subscriptions = answerDirectoryRequests({
        ...options,
        conversationsPerUser: settings.CONVERSATIONS_PER_USER_MAX,
      });
      await bus.flush();
    },
    async drain() {
      // Others answer from here on; REST requests end with the application they came through.
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      subscriptions = [];
      await bus.flush();
    },
    async stop() {
      for (const subscription of subscriptions) {
        subscription.unsubscribe();
      }
      subscriptions = [];
    },
  };
}
