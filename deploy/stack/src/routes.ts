/** Who answers a request that comes to the edge. */
export type Route =
  | 'gateways'
  | 'history'
  | 'directory'
  /** The web client's page and what belongs to it. */
  | 'web'
  /** The edge itself. */
  | 'health'
  | 'readiness'
  | 'api-document'
  | 'nobody';

/**
 * Routes by the path as it stands, without decoding or resolving it: the services compare paths in
 * the same way, so a disguised path reaches nothing that its plain form would not.
 */
export function routeOf(method: string, url: string): Route {
  const path = url.split('?', 1)[0] ?? '';
  switch (path) {
    case '/healthz':
      return 'health';
    case '/readyz':
      return 'readiness';
    // Swagger UI asks for the second: the docs page of one service shows the whole interface.
    case '/openapi.json':
    case '/docs/json':
      return 'api-document';
    case '/docs/yaml':
      return 'nobody';
    case '/messages':
    case '/sync':
      return 'history';
    case '/docs':
      return 'directory';
    // The page's own paths, as services/web lists them.
    case '/':
    case '/login':
    case '/register':
    case '/friends':
    case '/profile':
    case '/sw.js':
      return 'web';
  }
  if (path === '/socket.io' || path.startsWith('/socket.io/')) {
    return 'gateways';
  }
  if (/^\/api\/conversations\/[^/]+\/messages$/.test(path)) {
    return method === 'GET' || method === 'HEAD' ? 'history' : 'directory';
  }
  if (/^\/(?:assets\/|conversations\/[^/]+$|[\w-]+\.(?:svg|png|ico|webmanifest)$)/.test(path)) {
    return 'web';
  }
  return path.startsWith('/api/') || path.startsWith('/docs/') ? 'directory' : 'nobody';
}
