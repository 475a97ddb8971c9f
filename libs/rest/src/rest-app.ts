import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '@bambochat/auth';
import { notFound } from '@bambochat/protocol';
import { type Health, type Logger, type Metrics, registerOperations } from '@bambochat/runtime';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { answerError, malformedHttpAnswer } from './error-answers.ts';
import { observeRequests } from './observe-requests.ts';
import { decorateWithUser, type SessionCheck } from './require-user.ts';
import { serveDocs } from './serve-docs.ts';
import { validateRequestPart } from './validate-request.ts';

const BODY_MAX_BYTES = 64 * 1024;
/** Milliseconds for a client to send a whole request. */
const REQUEST_TIMEOUT = 10_000;
/** Milliseconds for a handler to answer. */
const HANDLER_TIMEOUT = 15_000;

/** Routes take zod schemas; `requireUser` as `onRequest` gives `request.userId`. */
export type RestApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export interface RestAppOptions {
  title: string;
  description: string;
  version?: string;
  logger: Logger;
  health: Health;
  metrics: Metrics;
  verifier: TokenVerifier;
  /** Tokens of sessions that have ended are refused within a second; absent: until they expire. */
  isSessionLive?: SessionCheck;
  /** `ALLOWED_ORIGINS` of `restConfig`; absent: any. */
  allowedOrigins?: readonly string[];
  /** `TRUST_PROXY` of `restConfig`; absent: the client's address is the peer's. */
  trustProxy?: string | undefined;
  /** Connections beyond are refused. Default 10,000; sockets that share the port count too. */
  maxConnections?: number;
}

/**
 * An application with everything but the routes; they go on it until it listens or gets its first
 * `inject`. Several services may put theirs on one application.
 */
export async function createRestApp(options: RestAppOptions): Promise<RestApp> {
  const app: FastifyInstance = fastify({
    loggerInstance: privateLogger(options.logger),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_MAX_BYTES,
    requestTimeout: REQUEST_TIMEOUT,
    handlerTimeout: HANDLER_TIMEOUT,
    trustProxy: options.trustProxy ?? false,
    // While it closes, requests on open connections are served; they get `connection: close`.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: answerError,
    clientErrorHandler: (_error, socket) => {
      if (socket.writable) {
        socket.write(malformedHttpAnswer());
      }
      socket.destroySoon();
    },
  });
  app.server.maxConnections = options.maxConnections ?? 10_000;

  app.setErrorHandler(answerError);
  app.setNotFoundHandler(async () => {
    throw notFound('Route');
  });
  acceptOnlyJson(app);
  app.setValidatorCompiler(validateRequestPart);
  app.setSerializerCompiler(serializerCompiler);

  observeRequests(app, options.metrics);
  decorateWithUser(app, options.verifier, options.isSessionLive);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"] },
    },
    // Whether the whole domain is HTTPS is for the edge to say.
    strictTransportSecurity: false,
  });
  const origins = options.allowedOrigins ?? ['*'];
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    maxAge: 600,
  });
  await serveDocs(app, {
    title: options.title,
    description: options.description,
    version: options.version ?? '0.1.0',
  });
  registerOperations(app, options);
  return app.withTypeProvider<ZodTypeProvider>();
}

/** Where fastify itself logs a request: no query, no headers, no address. */
function privateLogger(logger: Logger): FastifyBaseLogger {
  return logger.child(
    {},
    {
      serializers: {
        req: (request: { method?: string; routeOptions?: { url?: string } }) => ({
          method: request.method,
          route: request.routeOptions?.url,
        }),
      },
    },
  );
}

function acceptOnlyJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    if (text === '') {
      // Clients put the content type on requests without a body too, as on DELETE.
      done(null, undefined);
      return;
    }
    void parseJson(request, text, done);
  });
}
