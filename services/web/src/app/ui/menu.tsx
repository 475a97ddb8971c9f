import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { Icon } from './icon.tsx';

/** A button with three dots, and what it offers. Arrows move, Esc closes. */
export function Menu(props: {
  label: string;
  items: readonly { readonly label: string; readonly onChoose: () => void }[];
}) {
  const { label, items } = props;
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const id = useId();

  function onKeyDown(event: KeyboardEvent<HTMLElement>): void {
    if (event.key === 'Escape' && isOpen) {
      event.stopPropagation();
      setOpen(false);
      opener.current?.focus();
      return;
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && isOpen) {
      event.preventDefault();
      const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('[role="menuitem"]')];
      const index = buttons.indexOf(document.activeElement as HTMLElement);
      buttons.at((index + step) % buttons.length)?.focus();
    }
  }

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: listens for what is in it
    <div
      className="menu"
      onKeyDown={onKeyDown}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          setOpen(false);
        }
      }}
    >
      <button
        ref={opener}
        type="button"
        className="icon-button"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setOpen(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div id={id} className="menu-items" role="menu" aria-label={label}>
          {items.map((item, index) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              // biome-ignore lint/a11y/noAutofocus: a menu takes the focus when it opens
              autoFocus={index === 0}
              onClick={() => {
                setOpen(false);
                opener.current?.focus();
                item.onChoose();
              }}
            >
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
