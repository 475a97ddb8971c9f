import { authConfig, checkVerifierKeys } from '@bambochat/auth';
import { restConfig } from '@bambochat/rest';
import { backendUrl, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

export const configSchema = z
  .object({
    ...processConfig,
    ...authConfig,
    ...restConfig,
    MONGODB_URL: backendUrl('mongodb', 'mongodb+srv'),
  })
  .superRefine(checkVerifierKeys);
