import { authConfig, checkVerifierKeys } from '@bambochat/auth';
import { restConfig } from '@bambochat/rest';
import { mongodbConfig, processConfig } from '@bambochat/runtime';
import { z } from 'zod';

export const configSchema = z
  .object({
    ...processConfig,
    ...authConfig,
    ...restConfig,
    ...mongodbConfig,
  })
  .superRefine(checkVerifierKeys);
