import pino from 'pino';

export type Logger = pino.Logger;

/** The stack's own lines, in the form of the services' lines that they stand between. */
export function createStackLogger(options: {
  /** One of pino's; what is none counts as `info`. */
  level: string;
  write: (line: string) => void;
}): Logger {
  return pino(
    {
      level:
        options.level in pino.levels.values || options.level === 'silent' ? options.level : 'info',
      base: { service: 'stack', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: pino.stdSerializers.err },
    },
    { write: options.write },
  );
}
