import { strings } from '../strings.ts';

/** The title of the page: what waits for the user, as `(3)`, with mentions `(3, @1)`. */
export function pageTitle(waiting: { unread: number; mentions: number }): string {
  const { unread, mentions } = waiting;
  if (unread === 0) {
    return strings.product;
  }
  const count = unread > 999 ? '999+' : String(unread);
  return `(${mentions === 0 ? count : `${count}, @${mentions}`}) ${strings.product}`;
}
