import { Component, createRef, type KeyboardEvent, type ReactNode } from 'react';
import { strings } from '../strings.ts';

export interface ScrollerProps {
  /** Another one: what is shown is another conversation, or is shown for the first time. */
  showing: string;
  hasNewer: boolean;
  /** While the first page is not here yet. */
  isBusy: boolean;
  /** Something that is to be asked for is near. */
  onNearStart: () => void;
  onNearEnd: () => void;
  /** How far the user has looked, and whether the newest message is in sight. */
  onLook: (look: { lastSeenKey: string | null; isAtEnd: boolean }) => void;
  onEscape: () => void;
  children: ReactNode;
}

interface Anchor {
  element: Element;
  bottom: number;
  /** Of the view when it was measured: another one says that the user has scrolled since. */
  scrollTop: number;
}

/** Pixels from the end within which the view keeps to it. */
const END_SLACK = 40;
/** Milliseconds; what the user has seen need not be known in every frame. */
const LOOK_EVERY = 50;
/** Pages are asked for when this many screens are left. */
const SCREENS_AHEAD = 2;

/**
 * Scrolls through messages and keeps the place: at the end it stays at the end; elsewhere the message
 * at the upper edge does not move, whatever comes or goes above it. Browsers do this by themselves only in
 * part (not all, and not at the upper end), so it is done here, in the same frame: measured before React changes
 * the page, corrected after. A class, because only classes have that moment (getSnapshotBeforeUpdate).
 */
export class MessageScroller extends Component<ScrollerProps> {
  readonly #viewport = createRef<HTMLDivElement>();
  readonly #content = createRef<HTMLDivElement>();
  #isAtEnd = true;
  #isPlaced = false;
  #anchor: Anchor | null = null;
  #observer: ResizeObserver | null = null;
  /** As React has left them; null after it has changed something. */
  #rowsNow: readonly Element[] | null = null;
  #looking: ReturnType<typeof setTimeout> | undefined;

  override componentDidMount(): void {
    this.#observer = new ResizeObserver(this.#onResize);
    for (const { current } of [this.#viewport, this.#content]) {
      if (current !== null) {
        this.#observer.observe(current);
      }
    }
    this.#place();
  }

  override componentWillUnmount(): void {
    this.#observer?.disconnect();
    clearTimeout(this.#looking);
  }

  override getSnapshotBeforeUpdate(): Anchor | null {
    return this.#isAtEnd ? null : this.#findAnchor();
  }

  override componentDidUpdate(before: ScrollerProps, _state: unknown, anchor: Anchor | null): void {
    this.#rowsNow = null;
    if (before.showing !== this.props.showing) {
      this.#isPlaced = false;
    }
    if (!this.#isPlaced) {
      this.#place();
      return;
    }
    this.#anchor = anchor ?? this.#anchor;
    this.#settle();
    this.#lookSoon();
  }

  /** To the newest message that is here. */
  scrollToEnd(): void {
    this.#isAtEnd = true;
    this.#settle();
    this.#lookSoon();
  }

  /** Where the reading begins: at what is new, or at the end. */
  #place(): void {
    const viewport = this.#viewport.current;
    if (viewport === null || this.props.isBusy) {
      return;
    }
    this.#isPlaced = true;
    const divider = viewport.querySelector<HTMLElement>('[data-divider]');
    if (divider === null) {
      this.#isAtEnd = true;
    } else {
      viewport.scrollTop = divider.offsetTop - viewport.clientHeight / 4;
      this.#isAtEnd = this.#measureEnd(viewport);
    }
    this.#anchor = this.#findAnchor();
    this.#settle();
    this.#lookSoon();
  }

  /** Nothing moves: puts the view back to where it was after something has changed size. */
  #settle(): void {
    const viewport = this.#viewport.current;
    if (viewport === null || !this.#isPlaced) {
      return;
    }
    if (this.#isAtEnd && !this.props.hasNewer) {
      viewport.scrollTop = viewport.scrollHeight;
    } else if (this.#anchor?.element.isConnected === true) {
      const moved = this.#anchor.element.getBoundingClientRect().bottom - this.#anchor.bottom;
      if (Math.abs(moved) >= 1) {
        viewport.scrollTop += moved;
      }
      this.#anchor.scrollTop = viewport.scrollTop;
    }
  }

  /** Something has another size, and not because React has changed it just now. */
  readonly #onResize = (): void => {
    const viewport = this.#viewport.current;
    // Scrolled a moment ago, and the event is still to come: the place is where the user went.
    if (
      viewport !== null &&
      this.#anchor !== null &&
      viewport.scrollTop !== this.#anchor.scrollTop
    ) {
      this.#anchor = this.#findAnchor();
    }
    this.#settle();
  };

  #measureEnd(viewport: HTMLElement): boolean {
    const left = viewport.scrollHeight - viewport.scrollTop - viewport.clientHeight;
    return left <= END_SLACK && !this.props.hasNewer;
  }

  /** The first message that is not above the upper edge. By its lower end: the upper one may get or lose a name. */
  #findAnchor(): Anchor | null {
    const viewport = this.#viewport.current;
    if (viewport === null) {
      return null;
    }
    const element = this.#rowAt(viewport.getBoundingClientRect().top);
    const { scrollTop } = viewport;
    return element === undefined
      ? null
      : { element, bottom: element.getBoundingClientRect().bottom, scrollTop };
  }

  /** The first message whose lower end is below this height. */
  #rowAt(height: number): Element | undefined {
    const rows = this.#rows();
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((rows[middle]?.getBoundingClientRect().bottom ?? 0) > height) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return rows[low];
  }

  #rows(): readonly Element[] {
    this.#rowsNow ??= [...(this.#content.current?.querySelectorAll(':scope > [data-key]') ?? [])];
    return this.#rowsNow;
  }

  readonly #lookSoon = (): void => {
    this.#looking ??= setTimeout(() => {
      this.#looking = undefined;
      this.#look();
    }, LOOK_EVERY);
  };

  #look(): void {
    const viewport = this.#viewport.current;
    if (viewport === null || !this.#isPlaced) {
      return;
    }
    const { scrollTop, scrollHeight, clientHeight } = viewport;
    const ahead = clientHeight * SCREENS_AHEAD;
    if (scrollTop < ahead) {
      this.props.onNearStart();
    }
    if (scrollHeight - scrollTop - clientHeight < ahead) {
      this.props.onNearEnd();
    }
    const rows = this.#rows();
    const below = this.#rowAt(viewport.getBoundingClientRect().bottom);
    const lastSeen = below === undefined ? rows.at(-1) : rows[rows.indexOf(below) - 1];
    const lastSeenKey = lastSeen?.getAttribute('data-key') ?? null;
    this.props.onLook({ lastSeenKey, isAtEnd: this.#isAtEnd });
  }

  readonly #onScroll = (): void => {
    const viewport = this.#viewport.current;
    if (viewport !== null && this.#isPlaced) {
      this.#isAtEnd = this.#measureEnd(viewport);
      this.#anchor = this.#isAtEnd ? null : this.#findAnchor();
      this.#lookSoon();
    }
  };

  /** Arrows go from message to message, whose buttons come next in the order of Tab. */
  readonly #onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      this.props.onEscape();
      return;
    }
    const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    const rows = this.#rows();
    const active = (event.target as Element).closest('[data-key]');
    const next = active === null ? rows.at(-1) : rows[rows.indexOf(active) + step];
    if (next instanceof HTMLElement) {
      event.preventDefault();
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: 'nearest' });
    }
  };

  override render(): ReactNode {
    return (
      <div
        ref={this.#viewport}
        className="messages"
        role="log"
        aria-label={strings.messages.label}
        // What comes is announced elsewhere: older pages that come in are no news.
        aria-live="off"
        aria-busy={this.props.isBusy}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={this.#onScroll}
        onKeyDown={this.#onKeyDown}
      >
        <div ref={this.#content} className="messages-content">
          {this.props.children}
        </div>
      </div>
    );
  }
}
