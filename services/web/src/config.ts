import { processConfig } from '@bambochat/runtime';
import { z } from 'zod';

export const configSchema = z.object({ ...processConfig });
