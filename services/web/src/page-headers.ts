/**
 * What the page may do. `connect-src 'self'` covers the WebSocket too: 'self' matches `ws:` and `wss:` of
 * the same host and port by CSP Level 3 (Chrome, Firefox, Safari from 15.4 on). Without it Socket.IO
 * would stay on long-polling, so no browser is shut out.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Of the page and of all that belongs to it. HSTS is for the edge to say: it knows the domain. */
export const pageHeaders = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  // Of what a page could ask for, a chat of texts needs nothing.
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;
