import { type ReactNode, useEffect, useId, useRef } from 'react';
import { strings } from '../strings.ts';
import { Icon } from './icon.tsx';

/** A modal dialog: the browser keeps the focus inside, closes it by Esc, and gives the focus back. */
export function Dialog(props: { title: string; onClose: () => void; children: ReactNode }) {
  const { title, onClose, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = dialog;
    const opener = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (opener instanceof HTMLElement) {
        opener.focus();
      }
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Esc does the same
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The backdrop belongs to the dialog; what is in it fills it.
        if (event.target === dialog.current) {
          onClose();
        }
      }}
    >
      <div className="dialog-content">
        <header>
          <h2 id={id} dir="auto">
            {title}
          </h2>
          <button
            type="button"
            className="icon-button"
            aria-label={strings.close}
            onClick={onClose}
          >
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
