import type { z } from 'zod';
import { ConfigError, readConfig } from './config.ts';
import { createHealth, type Health } from './health.ts';
import { createLifecycle, type Lifecycle, StartInterrupted } from './lifecycle.ts';
import { createLogger, type Logger, type LogLevel } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';
import { startTracing, type Tracer, type TracingSettings } from './tracing.ts';

export interface ProcessContext<Config> {
  /** Undefined: tracing is off. */
  tracer: Tracer | undefined;
  config: Config;
  logger: Logger;
  metrics: Metrics;
  health: Health;
  lifecycle: Lifecycle;
}

/** Of sysexits.h. */
const EX_CONFIG = 78;

interface ProcessConfig extends TracingSettings {
  LOG_LEVEL: LogLevel;
  STOP_TIMEOUT: number;
}

/**
 * The frame of every `main.ts`: reads the configuration, composes and starts, and on SIGTERM or
 * SIGINT becomes unready, drains and stops within `STOP_TIMEOUT`. A second signal ends at once.
 * Exit status: 0 after a clean stop, 1 after a failed start, an unclean stop or a crash, 78
 * (EX_CONFIG of sysexits.h) when the configuration is wrong.
 *
 * @param compose starts everything through `lifecycle`; may return a function that is called once
 *   the process runs, to announce where it listens.
 */
export async function runProcess<Shape extends z.ZodRawShape>(options: {
  name: string;
  configSchema: z.ZodObject<Shape>;
  logDestination?: 1 | 2;
  compose(context: ProcessContext<z.infer<z.ZodObject<Shape>>>): Promise<{ url: string }>;
  announce?: (running: { url: string }) => void;
}): Promise<void> {
  let config: z.infer<z.ZodObject<Shape>>;
  try {
    config = readConfig(options.configSchema);
  } catch (error) {
    if (!(error instanceof ConfigError)) {
      throw error;
    }
    process.stderr.write(`${options.name} does not start. ${error.message}\n`);
    process.exitCode = EX_CONFIG;
    return;
  }
  const settings = config as unknown as ProcessConfig;
  const { LOG_LEVEL, STOP_TIMEOUT } = settings;
  const tracing = await startTracing(options.name, settings);
  const logger = createLogger({
    name: options.name,
    level: LOG_LEVEL,
    ...(tracing === undefined ? {} : { fields: () => tracing.logFields() }),
    ...(options.logDestination === undefined ? {} : { destination: options.logDestination }),
  });
  const lifecycle = createLifecycle(logger);
  if (tracing !== undefined) {
    // First, and so the last to stop: it has the spans of all others.
    lifecycle.defer('tracing', () => tracing.stop());
  }
  const health = createHealth({
    onFailure: (dependency, error) =>
      logger.warn({ dependency, err: error }, 'dependency not ready'),
  });

  async function end(reason: string, failure: number): Promise<void> {
    logger.info({ reason }, 'service stopping');
    health.startDraining();
    const { clean } = await lifecycle.stop(STOP_TIMEOUT);
    logger.info({ clean }, 'service stopped');
    process.exit(failure === 0 && !clean ? 1 : failure);
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (lifecycle.state === 'draining' || lifecycle.state === 'stopping') {
        logger.warn({ signal }, 'second signal, ending at once');
        process.exit(1);
      }
      void end(signal, 0);
    });
  }
  // A bug in one place must not leave a process that looks alive: log, drain, restart.
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception');
    void end('uncaughtException', 1);
  });
  process.on('unhandledRejection', (error) => {
    logger.fatal({ err: error }, 'unhandled rejection');
    void end('unhandledRejection', 1);
  });

  const metrics = createMetrics();
  observeProcess(metrics, options.name);

  try {
    const running = await options.compose({
      config,
      logger,
      tracer: tracing?.tracer,
      metrics,
      health,
      lifecycle,
    });
    lifecycle.running();
    logger.info({ url: running.url }, 'service ready');
    options.announce?.(running);
  } catch (error) {
    if (error instanceof StartInterrupted) {
      // Whoever interrupted it is stopping what there is.
      logger.info({ reason: error.message }, 'start interrupted');
    } else if (error instanceof ConfigError) {
      process.stderr.write(`${options.name} does not start. ${error.message}\n`);
      await end('wrong configuration', EX_CONFIG);
    } else {
      logger.fatal({ err: error }, 'service failed to start');
      await end('failed start', 1);
    }
  }
}
