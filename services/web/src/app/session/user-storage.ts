import { recall, remember } from '../state/page-storage.ts';

/** What this page remembers of users begins so. */
export const REMEMBERED = 'bambochat-kept-';

/** What the page remembers of one user in this browser: until they log out, and not a moment longer. */
export interface UserStorage {
  read<Value>(name: string): Value | null;
  write(name: string, value: unknown): void;
}

/** @param isSignedIn whether the session of this user goes on; after that nothing is written */
export function userStorage(userId: string, isSignedIn: () => boolean): UserStorage {
  const keyOf = (name: string) => `${REMEMBERED}${userId}-${name}`;
  return {
    read: (name) => recall(keyOf(name)),
    write(name, value) {
      if (isSignedIn()) {
        remember(keyOf(name), value);
      }
    },
  };
}
