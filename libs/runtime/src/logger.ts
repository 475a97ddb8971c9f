import pino from 'pino';

export type Logger = pino.Logger;

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export function isLogLevel(text: string | undefined): text is LogLevel {
  return logLevels.some((level) => level === text);
}

/** Names of fields that hold secrets or personal data, wherever they stand up to two levels deep. */
const privateFields = [
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'authorization',
  'cookie',
  'content',
  'email',
  'displayName',
  'bio',
];

const redactedPaths = privateFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/**
 * Structured logs, one JSON object a line: static text in `msg`, data in fields. Private fields are
 * replaced by `[redacted]`. Written synchronously, so that the last lines of a crash are there.
 */
export function createLogger(options: {
  name: string;
  level: LogLevel;
  /** File descriptor: 1 (standard output, the default) or 2. */
  destination?: 1 | 2;
  stream?: pino.DestinationStream;
  /** Fields of every line, asked for when it is written. */
  fields?: () => object;
}): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      ...(options.fields === undefined ? {} : { mixin: options.fields }),
      redact: { paths: redactedPaths, censor: '[redacted]' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
    },
    options.stream ?? pino.destination({ dest: options.destination ?? 1, sync: true }),
  );
}
