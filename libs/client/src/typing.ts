/** Milliseconds after which somebody whose "stopped" was lost is not typing any more. */
const BELIEVED_FOR = 8000;
/** "Still typing" is said again after this many milliseconds, while keys are pressed. */
const REPEATED_AFTER = 3000;
/** Milliseconds without a key after which typing has stopped. */
const IDLE_AFTER = 5000;
/** People shown as typing in one conversation. */
const TYPISTS_MAX = 50;

type Timer = ReturnType<typeof setTimeout>;

/** Who types in one conversation, and what the others are told about oneself. */
export class Typing {
  readonly #say: (isTyping: boolean) => void;
  readonly #onChange: () => void;
  readonly #typists = new Map<string, Timer>();
  #idle: Timer | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: { say: (isTyping: boolean) => void; onChange: () => void }) {
    this.#say = options.say;
    this.#onChange = options.onChange;
  }

  get userIds(): string[] {
    return [...this.#typists.keys()];
  }

  hear(userId: string, isTyping: boolean): void {
    const was = this.#typists.has(userId);
    clearTimeout(this.#typists.get(userId));
    this.#typists.delete(userId);
    if (isTyping && this.#typists.size < TYPISTS_MAX) {
      const forget = setTimeout(() => this.hear(userId, false), BELIEVED_FOR);
      this.#typists.set(userId, forget);
    }
    if (was !== this.#typists.has(userId)) {
      this.#onChange();
    }
  }

  /** A key was pressed. */
  press(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.cease(), IDLE_AFTER);
    if (Date.now() - this.#saidAt >= REPEATED_AFTER) {
      this.#saidAt = Date.now();
      this.#say(true);
    }
  }

  /** Typing has stopped, for whatever reason. */
  cease(): void {
    clearTimeout(this.#idle);
    if (this.#saidAt !== Number.NEGATIVE_INFINITY) {
      this.#saidAt = Number.NEGATIVE_INFINITY;
      this.#say(false);
    }
  }

  /** A message was sent: the server has told the others that typing has stopped. */
  sent(): void {
    clearTimeout(this.#idle);
    this.#saidAt = Number.NEGATIVE_INFINITY;
  }

  close(): void {
    clearTimeout(this.#idle);
    for (const timer of this.#typists.values()) {
      clearTimeout(timer);
    }
    this.#typists.clear();
  }
}
