import { Store } from '../state/store.ts';

/** Something that the user should hear of, wherever they are in the page. */
export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly action: { readonly label: string; readonly href: string } | null;
}

/** Shown at the same time; the oldest give way. */
const SHOWN_MAX = 3;

export class Notices {
  readonly store = new Store<readonly Notice[]>([]);
  #count = 0;

  show(text: string, action: Notice['action'] = null): void {
    this.#count += 1;
    const notice = { id: this.#count, text, action };
    const others = this.store.get().filter((shown) => shown.text !== text);
    this.store.set([...others, notice].slice(-SHOWN_MAX));
  }

  dismiss(id: number): void {
    this.store.update((notices) => notices.filter((notice) => notice.id !== id));
  }
}
