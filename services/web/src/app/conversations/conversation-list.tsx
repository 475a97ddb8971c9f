import { type KeyboardEvent, memo } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { paths, useRoute } from '../shell/route.ts';
import { relativeTime } from '../state/format-time.ts';
import { useMinute } from '../state/use-minute.ts';
import { sameItems, useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Icon } from '../ui/icon.tsx';
import type { ConversationTable } from './conversation-directory.ts';
import { type ConversationSummary, matches } from './summary.ts';

export function ConversationList(props: { search: string; onCreate: () => void }) {
  const { search } = props;
  const { store } = useChat().directory;
  const route = useRoute();
  const isLoaded = useStore(store, (table) => table.isLoaded);
  const count = useStore(store, (table) => table.order.length);
  const order = useStore(store, (table) => found(table, search), sameItems);
  const now = useMinute();
  const current = route.page === 'conversation' ? route.id : null;
  return (
    <nav className="conversations" aria-label={strings.conversations.label}>
      {!isLoaded && <Skeleton />}
      {isLoaded && count === 0 && (
        <div className="conversations-empty">
          <p>{strings.conversations.empty}</p>
          <p className="hint">{strings.conversations.emptyHint}</p>
          <button type="button" className="button" onClick={props.onCreate}>
            {strings.friends.message}
          </button>
        </div>
      )}
      {count > 0 && order.length === 0 && (
        <p className="conversations-empty hint">{strings.conversations.noMatch(search)}</p>
      )}
      <ul onKeyDown={moveFocus}>
        {order.map((id) => (
          <ConversationItem key={id} id={id} isCurrent={id === current} now={now} />
        ))}
      </ul>
    </nav>
  );
}

function found({ order, summaries }: ConversationTable, search: string): readonly string[] {
  if (search.trim() === '') {
    return order;
  }
  return order.filter((id) => {
    const summary = summaries.get(id);
    return summary !== undefined && matches(summary, search);
  });
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a')];
  const index = links.indexOf(event.target as HTMLElement);
  const next = {
    ArrowDown: links[index + 1],
    ArrowUp: links[index - 1],
    Home: links[0],
    End: links.at(-1),
  }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    next.focus();
  }
}

const ConversationItem = memo(function ConversationItem(props: {
  id: string;
  isCurrent: boolean;
  now: number;
}) {
  const { id, isCurrent, now } = props;
  const chat = useChat();
  const summary = useStore(chat.directory.store, ({ summaries }) => summaries.get(id));
  const peerId = summary?.peerId ?? null;
  const isFriend = useStore(chat.friends.store, ({ friends }) =>
    friends.some(({ _id }) => _id === peerId),
  );
  const isOnline = useStore(chat.presence.store, ({ online }) =>
    peerId === null ? false : online.has(peerId),
  );
  if (summary === undefined) {
    return null;
  }
  const { title, isGroup, unread, mentions, at } = summary;
  return (
    <li>
      <a
        className="conversation"
        href={paths.conversation(id)}
        aria-current={isCurrent ? 'page' : undefined}
        data-conversation-id={id}
        data-unread={unread}
      >
        <Avatar
          id={peerId ?? id}
          name={title}
          isGroup={isGroup}
          isOnline={isFriend ? isOnline : undefined}
        />
        <span className="conversation-title" dir="auto">
          {title}
        </span>
        {isFriend && (
          <span className="hidden">
            {isOnline ? strings.friends.online : strings.friends.offline}
          </span>
        )}
        <time dateTime={at} className="conversation-time">
          {relativeTime(at, new Date(Math.max(now, Date.parse(at))))}
        </time>
        <Preview summary={summary} />
        <span className="conversation-badges">
          {mentions > 0 && (
            <span className="badge" title={strings.conversations.mentioned}>
              <span aria-hidden="true">@</span>
              <span className="hidden">{strings.conversations.mentioned}</span>
            </span>
          )}
          {unread > 0 && (
            <span className="badge">
              <span aria-hidden="true">{unread > 999 ? '999+' : unread}</span>
              <span className="hidden">{strings.conversations.unread(unread)}</span>
            </span>
          )}
        </span>
      </a>
    </li>
  );
});

function Preview({ summary }: { summary: ConversationSummary }) {
  const chat = useChat();
  const { last, typing, isGroup, outgoing } = summary;
  const people = useStore(chat.people.store);
  const nameOf = (id: string) => people.get(id)?.displayName ?? id;
  if (typing.length > 0) {
    return (
      <span className="conversation-preview conversation-typing" dir="auto">
        {isGroup ? strings.messages.typing(typing.map(nameOf)) : strings.messages.typingShort}
      </span>
    );
  }
  if (last === null) {
    return (
      <span className="conversation-preview conversation-nothing">
        {strings.conversations.noMessages}
      </span>
    );
  }
  const isOwn = last.senderId === chat.userId;
  const sender = isOwn ? strings.you : isGroup ? nameOf(last.senderId) : null;
  return (
    <span className="conversation-preview" dir="auto">
      {outgoing !== null && <Icon name={outgoing === 'failed' ? 'alert' : 'clock'} />}
      {sender !== null && <span className="conversation-sender">{sender}: </span>}
      {/* As one line; the rest is cut off by the browser. */}
      {last.text.slice(0, 200).replace(/\s+/g, ' ')}
    </span>
  );
}

function Skeleton() {
  return (
    <div aria-busy="true">
      <span className="hidden">{strings.loading}</span>
      {[0, 1, 2, 3, 4, 5].map((index) => (
        <div key={index} className="conversation conversation-skeleton" aria-hidden="true">
          <span className="avatar avatar-medium" />
          <span className="bone bone-title" />
          <span className="bone bone-preview" />
        </div>
      ))}
    </div>
  );
}
