/**
 * Paths that the page itself has routes for: a reload or a link of them is answered with the page. No
 * others are, so what is no path of anybody stays a 404. The edge of deploy/stack repeats them.
 */
export const clientPaths = [
  '/',
  '/login',
  '/register',
  '/conversations/:conversationId',
  '/friends',
  '/profile',
] as const;
