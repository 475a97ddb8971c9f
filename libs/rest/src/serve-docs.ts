import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

/** Everything from here; styles inline, because Swagger UI sets style attributes. */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The OpenAPI document at `/openapi.json`, rendered at `/docs`. Shows routes that have a tag. Must
 * be awaited before routes are registered: routes added before are not seen.
 */
export async function serveDocs(
  app: FastifyInstance,
  info: { title: string; description: string; version: string },
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info,
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
    hideUntagged: true,
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    logLevel: 'warn',
    // No badge of a foreign validator, which would tell it the address of this server.
    // BaseLayout: without the bar that offers to show documents of other hosts.
    uiConfig: { validatorUrl: null, layout: 'BaseLayout' },
  });
  app.get('/openapi.json', { logLevel: 'warn' }, async () => app.swagger());
}
