import { useSyncExternalStore } from 'react';

/** What the address after `#` says. Plain links lead there, and the back button back. */
export type Route =
  | { readonly page: 'home' | 'friends' | 'profile' }
  | { readonly page: 'conversation'; readonly id: string };

export function readRoute(hash: string): Route {
  const [, page, id] = hash.replace(/^#/, '').split('/');
  if (page === 'c' && id !== undefined && id !== '') {
    return { page: 'conversation', id };
  }
  return page === 'friends' || page === 'profile' ? { page } : { page: 'home' };
}

export function conversationHref(id: string): string {
  return `#/c/${id}`;
}

export function go(href: string, options: { replace?: boolean } = {}): void {
  if (options.replace === true) {
    globalThis.location.replace(href);
  } else {
    globalThis.location.hash = href;
  }
}

function subscribe(listener: () => void): () => void {
  globalThis.addEventListener('hashchange', listener);
  return () => globalThis.removeEventListener('hashchange', listener);
}

const hashNow = () => globalThis.location.hash;

export function useRoute(): Route {
  return readRoute(useSyncExternalStore(subscribe, hashNow));
}
