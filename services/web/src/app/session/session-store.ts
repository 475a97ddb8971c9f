import { register, Session, webStorageSession } from '@bambochat/client';
import { forget } from '../state/page-storage.ts';
import { Store } from '../state/store.ts';
import { REMEMBERED } from './user-storage.ts';

/** The key of the tokens; `libs/client` writes under it. */
const SESSION_KEY = 'bambochat-session';

export type SessionState =
  | { readonly status: 'signed-out'; readonly hasEnded: boolean }
  | { readonly status: 'signed-in'; readonly userId: string };

/** Who uses this page, in all tabs of this browser. */
export class SessionStore {
  readonly state: Store<SessionState>;
  readonly #url: string;
  readonly session: Session;

  constructor(url: string) {
    this.#url = url;
    this.session = new Session({ url, storage: webStorageSession({ key: SESSION_KEY }) });
    this.state = new Store<SessionState>(this.#read());
    // Another tab has logged in or out.
    globalThis.addEventListener('storage', ({ key }) => {
      if (key === null || key === SESSION_KEY) {
        this.#follow();
      }
    });
  }

  /** Whether this user is logged in. */
  isOf(userId: string): boolean {
    const state = this.state.get();
    return state.status === 'signed-in' && state.userId === userId;
  }

  /** @throws ChatError */
  async logIn(id: string, password: string): Promise<void> {
    await this.session.login(id, password);
    this.#follow();
  }

  /** @throws ChatError */
  async createAccount(account: { id: string; email: string; password: string }): Promise<void> {
    await register(this.#url, account);
    await this.logIn(account.id, account.password);
  }

  /** Ends the session here in any case, and on the server if that can be reached. */
  async logOut(): Promise<void> {
    try {
      await this.session.logout();
    } catch {
      // The server did not hear of it; here it is over all the same.
    }
    this.#end(false);
  }

  /** The server will not have this session any more. */
  expire(): void {
    this.#end(true);
  }

  #end(hasEnded: boolean): void {
    webStorageSession({ key: SESSION_KEY }).write(null);
    this.state.set({ status: 'signed-out', hasEnded });
    if (!hasEnded) {
      forget(REMEMBERED);
    }
  }

  #follow(): void {
    const now = this.#read();
    const before = this.state.get();
    const isSame =
      now.status === before.status &&
      (now.status !== 'signed-in' || before.status !== 'signed-in' || now.userId === before.userId);
    if (!isSame) {
      this.state.set(now);
    }
  }

  #read(): SessionState {
    let userId: string | null = null;
    try {
      userId = this.session.userId;
    } catch {
      // No storage, or nothing that can be read in it: nobody is logged in.
    }
    return userId === null
      ? { status: 'signed-out', hasEnded: false }
      : { status: 'signed-in', userId };
  }
}
