import { useEffect, useState } from 'react';
import { Chat } from './chat/chat.ts';
import { ChatContext } from './chat/use-chat.ts';
import { SessionStore } from './session/session-store.ts';
import { SignIn } from './session/sign-in.tsx';
import { ChatPage } from './shell/chat-page.tsx';
import { ErrorBoundary } from './shell/error-boundary.tsx';
import { useStore } from './state/use-store.ts';

const session = new SessionStore(globalThis.location.origin);

export function App() {
  const state = useStore(session.state);
  return (
    <ErrorBoundary>
      {state.status === 'signed-in' ? (
        <SignedIn key={state.userId} userId={state.userId} />
      ) : (
        <SignIn session={session} hasEnded={state.hasEnded} />
      )}
    </ErrorBoundary>
  );
}

function SignedIn({ userId }: { userId: string }) {
  const [chat, setChat] = useState<Chat | null>(null);
  useEffect(() => {
    const opened = new Chat(session, userId);
    setChat(opened);
    return () => opened.close();
  }, [userId]);
  return chat === null ? null : (
    <ChatContext value={chat}>
      <ChatPage />
    </ChatContext>
  );
}
