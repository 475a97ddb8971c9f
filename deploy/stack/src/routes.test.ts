import { expect, it } from 'vitest';
import { routeOf } from './routes.ts';

it.each([
  ['GET', '/socket.io/?EIO=4&transport=polling', 'gateways'],
  ['POST', '/socket.io/?EIO=4&sid=x', 'gateways'],
  ['GET', '/socket.io', 'gateways'],
  ['GET', '/socket.iox', 'nobody'],
  ['GET', '/messages?conversationId=x', 'history'],
  ['GET', '/messages/1', 'nobody'],
  ['GET', '/sync', 'history'],
  ['GET', '/api/conversations/x/messages?cursor=y', 'history'],
  ['HEAD', '/api/conversations/x/messages', 'history'],
  ['POST', '/api/conversations/x/messages', 'directory'],
  ['GET', '/api/conversations/x/y/messages', 'directory'],
  ['GET', '/api/conversations', 'directory'],
  ['POST', '/api/auth/login', 'directory'],
  ['GET', '/api/health', 'directory'],
  ['GET', '/apix', 'nobody'],
  ['GET', '/docs', 'directory'],
  ['GET', '/docs/static/swagger-ui.css', 'directory'],
  ['GET', '/docs/json', 'api-document'],
  ['GET', '/docs/yaml', 'nobody'],
  ['GET', '/openapi.json', 'api-document'],
  ['GET', '/healthz', 'health'],
  ['GET', '/readyz?x', 'readiness'],
  ['GET', '/metrics', 'nobody'],
  ['GET', '/messages/../metrics', 'nobody'],
  ['GET', '//metrics', 'nobody'],
  ['GET', 'http://elsewhere/metrics', 'nobody'],
  ['GET', '/', 'nobody'],
  ['OPTIONS', '*', 'nobody'],
])('%s %s → %s', (method, url, route) => {
  expect(routeOf(method, url)).toBe(route);
});
