import { z } from 'zod';
import { logLevels } from './logger.ts';

/** The environment does not fit the schema. The message names every variable and no value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the configuration once, at start. Keys of the schema are the names of environment
 * variables. An empty variable counts as absent, as in `PORT= npm start`.
 *
 * @throws ConfigError that lists each missing or wrong variable and what it must be; values are
 *   never repeated, because any of them may be a secret.
 */
export function readConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') {
      given[name] = value;
    }
  }
  const result = schema.safeParse(given);
  if (result.success) {
    return result.data;
  }
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.map(String).join('.') || '(configuration)';
    const missing = issue.path.length === 1 && given[name] === undefined;
    return `  ${name}: ${missing ? 'is required' : describe(issue)}`;
  });
  throw new ConfigError(`The configuration is wrong:\n${[...new Set(lines)].join('\n')}`);
}

/** zod's default messages may quote the input (enum values do not, formats do not): keep to ours. */
function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'custom':
    case 'invalid_format':
      return issue.message;
    default:
      return 'has the wrong form';
  }
}

/**
 * Every variable is described where it is defined: `.describe` says what it means, and `form`, which
 * the functions below set, what may be written. deploy/docs makes the reference of them.
 */
declare module 'zod' {
  interface GlobalMeta {
    form?: string;
  }
}

const count = (value: number) => value.toLocaleString('en');

/** A whole number in `[minimum, maximum]`. */
export function integer(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^-?\d+$/, { error: 'must be a whole number' })
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .meta({ form: `whole number, ${count(minimum)} to ${count(maximum)}` });
}

/** A number in `[minimum, maximum]`. */
export function decimal(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, { error: 'must be a number' })
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum))
    .meta({ form: `number, ${count(minimum)} to ${count(maximum)}` });
}

/** `true` or `false`, nothing else. */
export function flag() {
  return z
    .string()
    .regex(/^(true|false)$/, { error: 'must be true or false' })
    .transform((value) => value === 'true')
    .meta({ form: '`true` or `false`' });
}

/** The URL of a backing service; its scheme chooses the adapter. */
export function backendUrl(...schemes: readonly string[]) {
  const beginnings = schemes.map((scheme) => `${scheme}://`);
  return z
    .string()
    .refine(
      (value) => {
        try {
          return schemes.includes(new URL(firstHost(value)).protocol.slice(0, -1));
        } catch {
          return false;
        }
      },
      {
        error: `must be a URL that begins with ${beginnings.join(' or ')}`,
      },
    )
    .meta({ form: beginnings.map((beginning) => `\`${beginning}\``).join(' or ') });
}

/** MongoDB's URLs may name all members of a replica set, `a:1,b:2`, which WHATWG's do not allow. */
function firstHost(url: string): string {
  return url.replace(/^(mongodb:\/\/(?:[^/@]*@)?[^,/?]*)(?:,[^,/?]+)+/, '$1');
}

/** Origins of browsers that may use a service, comma-separated; `*` for any. */
export function originList() {
  return z
    .string()
    .transform((list) =>
      list
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    )
    .meta({ form: 'origins, comma-separated; `*`: any' });
}

/** Variables of every process that listens and logs. */
export const processConfig = {
  HOST: z.string().default('127.0.0.1').describe('Address on which it listens.'),
  PORT: integer(0, 65535)
    .prefault('3000')
    .describe('Port on which it listens; 0 takes a free one.'),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('What is logged, from this level on.'),
  STOP_TIMEOUT: integer(1000, 600_000)
    .prefault('25000')
    .describe('Milliseconds from SIGTERM until the process ends at the latest.'),
};

/** Removes user and password, for logs and error messages. */
export function withoutCredentials(url: string): string {
  try {
    const parsed = new URL(firstHost(url));
    parsed.username = '';
    parsed.password = '';
    return parsed.href;
  } catch {
    return '(not a URL)';
  }
}
