import { createTokenIssuer, createTokenVerifier, type IssuerConfig } from '@bambochat/auth';
import { AppError, type UserId, userIdSchema } from '@bambochat/protocol';
import { createHealth, createLogger, createMetrics, type Metrics } from '@bambochat/runtime';
import { z } from 'zod';
import { errorResponses } from './error-answers.ts';
import { createRestApp, type RestApp, type RestAppOptions } from './rest-app.ts';
import { RetryLaterError } from './retry-later.ts';

const config: IssuerConfig = {
  JWT_ALGORITHM: 'HS256',
  JWT_SECRET: 'a-secret-of-this-test-with-48-bytes-0123456789ab',
  JWT_ISSUER: 'bambochat',
  JWT_AUDIENCE: 'bambochat',
  ACCESS_TOKEN_TTL: 60_000,
  REFRESH_TOKEN_TTL: 60_000,
};

export interface RestFixture extends AsyncDisposable {
  app: RestApp;
  metrics: Metrics;
  /** Every log line so far. */
  log: () => string;
  tokenOf(userId: string): string;
  expiredTokenOf(userId: string): string;
}

/** An application with one route of each kind. */
export async function startRestFixture(
  overrides: Partial<RestAppOptions> = {},
): Promise<RestFixture> {
  const lines: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const app = await createRestApp({
    title: 'Test',
    description: 'For tests',
    logger: createLogger({
      name: 'rest-test',
      level: 'debug',
      stream: { write: (line) => void lines.push(line) },
    }),
    health: createHealth(),
    metrics,
    verifier: createTokenVerifier(config),
    ...overrides,
  });

  app.post(
    '/things/:id',
    {
      schema: {
        tags: ['things'],
        params: z.object({ id: userIdSchema }),
        querystring: z.object({ dry: z.enum(['yes', 'no']).optional() }),
        body: z.object({ names: z.array(userIdSchema), note: z.string().optional() }),
        response: { 200: z.object({ names: z.array(z.string()) }), ...errorResponses(400, 409) },
      },
    },
    async (request) => ({ names: request.body.names, passwordHash: 'never shown' }),
  );
  app.get(
    '/me',
    {
      onRequest: app.requireUser,
      schema: {
        tags: ['things'],
        response: { 200: z.object({ userId: userIdSchema }) },
        security: [{ bearer: [] }],
      },
    },
    async (request) => ({ userId: request.userId }),
  );
  app.get('/open', async (request) => ({ userId: request.userId }));
  app.get('/ip', async (request) => ({ ip: request.ip }));
  const failures: Record<string, () => unknown> = {
    '/conflict': () => new AppError('CONFLICT', 'Taken'),
    '/limited': () => new RetryLaterError('RATE_LIMITED', 'Slow down', 1500),
    '/unavailable': () => new AppError('UNAVAILABLE', 'Later'),
    '/bug': () => new Error('connect ECONNREFUSED 10.0.0.7:27017'),
    '/thrown-text': () => 'a thrown string',
    '/null': () => null,
  };
  for (const [path, failure] of Object.entries(failures)) {
    app.get(path, async () => {
      throw failure();
    });
  }
  app.get(
    '/unfit-answer',
    { schema: { response: { 200: z.object({ count: z.number() }) } } },
    async () => ({ count: 'secret text' }) as never,
  );

  const token = (userId: string, clock?: () => number) =>
    createTokenIssuer(config, clock).issueAccess({ userId: userId as UserId, sessionId: 's' })
      .token;
  return {
    app,
    metrics,
    log: () => lines.join(''),
    tokenOf: (userId) => token(userId),
    expiredTokenOf: (userId) => token(userId, () => Date.now() - 3_600_000),
    [Symbol.asyncDispose]: async () => {
      await app.close();
    },
  };
}
