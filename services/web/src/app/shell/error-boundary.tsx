import { Component, type ReactNode } from 'react';
import { strings } from '../strings.ts';

/** A fault of the page ends in words and a way out, not in an empty screen. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) {
      return this.props.children;
    }
    return (
      <main className="blank" role="alert">
        <p>{strings.unexpected}</p>
        <button type="button" className="button" onClick={() => globalThis.location.reload()}>
          {strings.reload}
        </button>
      </main>
    );
  }
}
