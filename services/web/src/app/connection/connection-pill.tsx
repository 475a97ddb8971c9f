import { useEffect, useState } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';

/** The truth about the connection, in words, over the page: nothing moves when it comes or goes. */
export function ConnectionPill() {
  const chat = useChat();
  const state = useStore(chat.connection);
  const text = {
    connecting: strings.connection.connecting,
    'catching-up': strings.connection.catchingUp,
    live: strings.connection.live,
    offline: strings.connection.offline,
    refused: strings.connection.refused,
    closed: '',
  }[state.name];
  return (
    <div className="pill" data-state={state.name}>
      {state.name === 'offline' ? <Icon name="offline" /> : <span className="pill-dot" />}
      <span role="status">{text}</span>
      {state.name === 'offline' && (
        <>
          <Countdown until={state.retryAt} />
          <button type="button" className="link" onClick={() => chat.client.reconnect()}>
            {strings.connection.tryNow}
          </button>
        </>
      )}
      {state.name === 'refused' && (
        <button type="button" className="link" onClick={() => chat.logInAgain()}>
          {strings.session.logIn}
        </button>
      )}
    </div>
  );
}

/** Not read aloud: it would be every second. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return (
    <span className="pill-countdown" aria-hidden="true">
      {strings.connection.retryIn(seconds)}
    </span>
  );
}
