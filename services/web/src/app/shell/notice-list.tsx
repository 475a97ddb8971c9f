import { useEffect, useState } from 'react';
import type { Notice } from '../chat/notices.ts';
import { useChat } from '../chat/use-chat.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';

/** Milliseconds; while the pointer or the focus is on it a notice stays. */
const SHOWN_FOR = 8000;

export function NoticeList() {
  const { notices } = useChat();
  const shown = useStore(notices.store);
  return (
    <div className="notices" role="status">
      {shown.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} onDone={() => notices.dismiss(notice.id)} />
      ))}
    </div>
  );
}

function NoticeCard({ notice, onDone }: { notice: Notice; onDone: () => void }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) {
      return;
    }
    const timer = setTimeout(onDone, SHOWN_FOR);
    return () => clearTimeout(timer);
  }, [isHeld, onDone]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps it from going
    <div
      className="notice"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span dir="auto">{notice.text}</span>
      {notice.action !== null && (
        <a className="link" href={notice.action.href} onClick={onDone}>
          {notice.action.label}
        </a>
      )}
      <button type="button" className="icon-button" aria-label={strings.close} onClick={onDone}>
        <Icon name="close" />
      </button>
    </div>
  );
}
