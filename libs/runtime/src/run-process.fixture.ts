/** A process for `run-process.test.ts`, started with plain Node like every service. */
import { z } from 'zod';
import { flag, processConfig } from './config.ts';
import { listenForOperations } from './listen.ts';
import { runProcess } from './run-process.ts';

await runProcess({
  name: 'fixture',
  configSchema: z.object({
    ...processConfig,
    TEST_SECRET: z.string().refine((value) => value.length > 5, { error: 'is too short' }),
    TEST_FAIL: flag().prefault('false'),
    TEST_CRASH: flag().prefault('false'),
    TEST_STUCK: flag().prefault('false'),
  }),
  async compose({ config, logger, metrics, health, lifecycle }) {
    await lifecycle.use('worker', {
      async start() {
        if (config.TEST_FAIL) {
          throw new Error('cannot start');
        }
      },
      async drain() {
        logger.info('worker drained');
        if (config.TEST_STUCK) {
          await new Promise(() => {});
        }
      },
      async stop() {
        logger.info('worker stopped');
      },
    });
    const running = await listenForOperations({ config, logger, health, metrics, lifecycle });
    if (config.TEST_CRASH) {
      setImmediate(() => {
        throw new Error('a bug');
      });
    }
    return running;
  },
});
