import { lazy, Suspense, useEffect } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { ConnectionPill } from '../connection/connection-pill.tsx';
import { Sidebar } from '../conversations/sidebar.tsx';
import { ConversationPane } from '../messages/conversation-pane.tsx';
import { pageTitle } from '../state/page-title.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';
import { NoticeList } from './notice-list.tsx';
import { type Route, useRoute } from './route.ts';

const FriendsPage = lazy(async () => ({
  default: (await import('../friends/friends-page.tsx')).FriendsPage,
}));
const ProfilePage = lazy(async () => ({
  default: (await import('../profile/profile-page.tsx')).ProfilePage,
}));

/** The list beside what is chosen in it; on a narrow screen one of the two. */
export function ChatPage() {
  const chat = useChat();
  const route = useRoute();
  const connection = useStore(chat.connection, ({ name }) => name);
  useTitle();
  return (
    <div
      className="chat"
      data-connection={connection}
      data-page={route.page === 'register' ? 'home' : route.page}
    >
      <Sidebar />
      <main className="detail">
        <Suspense fallback={<div className="blank" />}>
          <Detail route={route} />
        </Suspense>
      </main>
      <ConnectionPill />
      <NoticeList />
    </div>
  );
}

function Detail({ route }: { route: Route }) {
  switch (route.page) {
    case 'conversation':
      return <ConversationPane key={route.id} conversationId={route.id} />;
    case 'friends':
      return <FriendsPage />;
    case 'profile':
      return <ProfilePage />;
    case 'register':
    case 'home':
      return (
        <div className="blank">
          <span className="blank-icon">
            <Icon name="compose" />
          </span>
          <h2>{strings.conversations.none}</h2>
          <p>{strings.conversations.noneHint}</p>
        </div>
      );
  }
}

function useTitle(): void {
  const { store } = useChat().directory;
  useEffect(() => {
    const show = () => {
      document.title = pageTitle(store.get());
    };
    show();
    const stop = store.subscribe(show);
    return () => {
      stop();
      document.title = strings.product;
    };
  }, [store]);
}
