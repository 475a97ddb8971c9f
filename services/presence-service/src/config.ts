import { integer, mongodbConfig, natsConfig, processConfig, redisConfig } from '@bambochat/runtime';
import type { PresenceDurations } from '@bambochat/stores';
import { z } from 'zod';

/** Settings that standalone shares; the same on every replica. */
export const presenceConfig = {
  PRESENCE_LEASE: integer(1000, 600_000)
    .prefault('15000')
    .describe(
      'Milliseconds after which the users of a gateway that is silent are gone, with the grace. The same on every replica.',
    ),
  PRESENCE_GRACE: integer(0, 600_000)
    .prefault('5000')
    .describe(
      'Milliseconds that a user without a device still counts as online. The same on every replica.',
    ),
};

export type PresenceSettings = {
  [Name in keyof typeof presenceConfig]: z.infer<(typeof presenceConfig)[Name]>;
};

export const configSchema = z.object({
  ...processConfig,
  ...presenceConfig,
  ...mongodbConfig,
  ...natsConfig,
  ...redisConfig,
});

/** Milliseconds that a replica has for announcing what it has claimed. */
const CLAIM = 5000;

/** What the settings mean for the store and for the service. */
export function presenceDurations(settings: PresenceSettings): PresenceDurations {
  return {
    lease: settings.PRESENCE_LEASE,
    grace: settings.PRESENCE_GRACE,
    // Two heartbeats: every gateway that lives has told what it has.
    warmUp: Math.ceil((settings.PRESENCE_LEASE * 2) / 3),
    claim: CLAIM,
  };
}
