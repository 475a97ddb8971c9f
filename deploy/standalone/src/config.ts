import { resolve } from 'node:path';
import { issuerConfig } from '@bambochat/auth';
import { directoryConfig } from '@bambochat/directory-service';
import { messageConfig } from '@bambochat/message-service';
import { presenceConfig } from '@bambochat/presence-service';
import { restConfig } from '@bambochat/rest';
import { flag, processConfig, tracingConfig } from '@bambochat/runtime';
import { gatewayConfig } from '@bambochat/socket-gateway';
import { z } from 'zod';

export const configSchema = z.object({
  ...processConfig,
  ...tracingConfig,
  ...issuerConfig,
  ...restConfig,
  ...directoryConfig,
  ...messageConfig,
  ...presenceConfig,
  ...gatewayConfig,
  WEB_CLIENT: flag()
    .prefault('true')
    .describe('Whether the web client is served at `/`; it must have been built then.'),
  DATA_DIR: z
    .string()
    .default('./data')
    .transform((path) => resolve(path))
    .describe(
      'Folder of everything that survives a restart: the database and the secret of the tokens.',
    ),
});

export type StandaloneConfig = z.infer<typeof configSchema>;
