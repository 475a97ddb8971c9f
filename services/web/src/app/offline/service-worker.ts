/**
 * Keeps the page itself in the browser, so that it opens without a connection too. It answers for the
 * page and its own files and for nothing else: no message and no token passes through it.
 */
interface InstallEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface RequestEvent extends InstallEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Scope {
  addEventListener(name: 'install' | 'activate', listener: (event: InstallEvent) => void): void;
  addEventListener(name: 'fetch', listener: (event: RequestEvent) => void): void;
  readonly clients: { claim(): Promise<void> };
}

/** Written in by the build: every file of the page, and a name that changes with them. */
declare const __PAGE_FILES__: readonly string[];
declare const __PAGE_VERSION__: string;

const scope = globalThis as unknown as Scope;
/** As the server has it: client-paths.ts. */
const PAGES = /^\/(?:login|register|friends|profile|conversations\/[^/]+)?$/;
const PREFIX = 'bambochat-page-';
const NAME = PREFIX + __PAGE_VERSION__;
const files = new Set(__PAGE_FILES__);
/** Milliseconds after which the page that is kept is shown instead of a newer one. */
const PATIENCE = 3000;

scope.addEventListener('install', (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(['/', ...files])));
});

// Without skipping the wait: pages that are open keep the files that they were made with.
scope.addEventListener('activate', (event) => {
  event.waitUntil(removeOthers().then(() => scope.clients.claim()));
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== globalThis.location.origin) {
    return;
  }
  if (request.mode === 'navigate' && PAGES.test(pathname)) {
    event.respondWith(newestPage(request));
  } else if (files.has(pathname)) {
    event.respondWith(kept(pathname, request));
  }
});

async function newestPage(request: Request): Promise<Response> {
  const fromServer = fetch(request);
  // What comes too late is dropped; what fails, too.
  fromServer.catch(() => {});
  try {
    const late = new Promise<never>((_resolve, reject) => {
      setTimeout(() => reject(new Error('late')), PATIENCE);
    });
    const response = await Promise.race([fromServer, late]);
    if (response.ok) {
      return response;
    }
  } catch {
    // Then what is kept.
  }
  return (await caches.match('/', { cacheName: NAME })) ?? fromServer;
}

async function kept(pathname: string, request: Request): Promise<Response> {
  return (await caches.match(pathname, { cacheName: NAME })) ?? fetch(request);
}

async function removeOthers(): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

export {};
