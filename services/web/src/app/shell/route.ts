import { Store } from '../state/store.ts';
import { useStore } from '../state/use-store.ts';

/** What the address says. The server answers each of these paths with the page (client-paths.ts). */
export type Route =
  | { readonly page: 'home' | 'friends' | 'profile' | 'register' }
  | { readonly page: 'conversation'; readonly id: string };

export const paths = {
  home: '/',
  register: '/register',
  friends: '/friends',
  profile: '/profile',
  conversation: (id: string) => `/conversations/${encodeURIComponent(id)}`,
};

export function readRoute(path: string): Route {
  const [, page, id] = path.split('/');
  if (page === 'conversations' && id !== undefined && id !== '') {
    return { page: 'conversation', id: decoded(id) };
  }
  return page === 'friends' || page === 'profile' || page === 'register'
    ? { page }
    : { page: 'home' };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const current = new Store(globalThis.location?.pathname ?? paths.home);

export function go(path: string, options: { replace?: boolean } = {}): void {
  if (path !== current.get()) {
    if (options.replace === true) {
      history.replaceState(null, '', path);
    } else {
      history.pushState(null, '', path);
    }
    current.set(path);
  }
}

/** Makes plain links change the page in place, and the back button too. */
export function followLinks(): void {
  globalThis.addEventListener('popstate', () => current.set(globalThis.location.pathname));
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href^="/"]');
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (link !== null && isPlain && !event.altKey && !event.defaultPrevented) {
      event.preventDefault();
      go(link.pathname);
    }
  });
}

export function useRoute(): Route {
  return readRoute(useStore(current));
}
