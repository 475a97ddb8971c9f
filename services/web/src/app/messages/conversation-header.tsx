import { lazy, Suspense, useState } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { paths } from '../shell/route.ts';
import { lastSeenTime } from '../state/format-time.ts';
import { useMinute } from '../state/use-minute.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Icon } from '../ui/icon.tsx';

const DetailsDialog = lazy(async () => ({
  default: (await import('../conversations/details-dialog.tsx')).DetailsDialog,
}));

export function ConversationHeader({ conversationId }: { conversationId: string }) {
  const chat = useChat();
  const [isOpen, setOpen] = useState(false);
  const summary = useStore(chat.directory.store, ({ summaries }) => summaries.get(conversationId));
  if (summary === undefined) {
    return <header className="pane-header" />;
  }
  const { title, isGroup, peerId, memberCount } = summary;
  return (
    <header className="pane-header">
      <a className="icon-button back" href={paths.home} aria-label={strings.back}>
        <Icon name="back" />
      </a>
      <Avatar id={peerId ?? conversationId} name={title} isGroup={isGroup} />
      <div className="pane-title">
        <h2 dir="auto">{title}</h2>
        {isGroup ? (
          <p>{strings.conversations.members(memberCount)}</p>
        ) : (
          <PeerStatus userId={peerId} />
        )}
      </div>
      <button
        type="button"
        className="icon-button"
        aria-label={strings.group.details}
        title={strings.group.details}
        onClick={() => setOpen(true)}
      >
        <Icon name="info" />
      </button>
      {isOpen && (
        <Suspense>
          <DetailsDialog conversationId={conversationId} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </header>
  );
}

/** Only of friends: of others nobody is told. */
export function PeerStatus({ userId }: { userId: string | null }) {
  const chat = useChat();
  const now = useMinute();
  const isFriend = useStore(chat.friends.store, ({ friends }) =>
    friends.some(({ _id }) => _id === userId),
  );
  const isConnected = useStore(
    chat.connection,
    ({ name }) => name === 'live' || name === 'catching-up',
  );
  const isOnline = useStore(chat.presence.store, ({ online }) => online.has(userId ?? ''));
  const lastSeen = useStore(chat.presence.store, (board) => board.lastSeen.get(userId ?? ''));
  if (userId === null) {
    return <p />;
  }
  if (!isFriend) {
    return <p dir="ltr">@{userId}</p>;
  }
  if (!isConnected) {
    return <p />;
  }
  if (isOnline) {
    return <p className="is-online">{strings.friends.online}</p>;
  }
  return (
    <p>
      {lastSeen === undefined
        ? strings.friends.offline
        : strings.friends.lastSeen(
            lastSeenTime(lastSeen, new Date(Math.max(now, Date.parse(lastSeen)))),
          )}
    </p>
  );
}
