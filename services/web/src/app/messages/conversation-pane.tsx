import type { Message, ReactionType } from '@bambochat/client';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { describeProblem } from '../chat/describe-problem.ts';
import { useChat } from '../chat/use-chat.ts';
import { paths } from '../shell/route.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';
import { Announcer } from './announcer.tsx';
import { Composer } from './composer.tsx';
import { ConversationHeader } from './conversation-header.tsx';
import { ConversationView } from './conversation-view.ts';
import { MessageList } from './message-list.tsx';
import type { MessageScroller } from './message-scroller.tsx';

/** One conversation: what was said, and where to say more. */
export function ConversationPane({ conversationId }: { conversationId: string }) {
  const chat = useChat();
  const isKnown = useStore(chat.directory.store, ({ conversations }) =>
    conversations.has(conversationId),
  );
  const isLoaded = useStore(chat.directory.store, (table) => table.isLoaded);
  const isLive = useStore(chat.connection, ({ name }) => name === 'live');
  if (isKnown) {
    return <OpenConversation conversationId={conversationId} />;
  }
  return (
    <div className="blank">
      {isLoaded && isLive ? (
        <>
          <p>{strings.conversations.notFound}</p>
          <a className="button" href={paths.home}>
            {strings.back}
          </a>
        </>
      ) : (
        <p>{strings.loading}</p>
      )}
    </div>
  );
}

function OpenConversation({ conversationId }: { conversationId: string }) {
  const chat = useChat();
  const [view, setView] = useState<ConversationView | null>(null);
  useEffect(() => {
    const opened = new ConversationView({
      client: chat.client,
      failed: chat.failed,
      kept: chat.kept,
      userId: chat.userId,
      conversationId,
    });
    setView(opened);
    const keep = () => opened.keep();
    globalThis.addEventListener('pagehide', keep);
    return () => {
      globalThis.removeEventListener('pagehide', keep);
      opened.close();
    };
  }, [chat, conversationId]);
  return (
    <section className="pane">
      <ConversationHeader conversationId={conversationId} />
      {view === null ? <div className="messages" /> : <Conversation view={view} />}
    </section>
  );
}

function Conversation({ view }: { view: ConversationView }) {
  const chat = useChat();
  const scroller = useRef<MessageScroller>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const typing = useStore(view.store, (state) => state.typing);
  const people = useStore(chat.people.store);
  const unread = useStore(view.store, (state) => state.unread);
  const hasNewer = useStore(view.store, (state) => state.hasNewer);

  const onReact = useCallback(
    (message: Message, type: ReactionType) => {
      view.conversation.react(message._id, type).catch((error: unknown) => {
        chat.notices.show(
          chat.connection.get().name === 'offline'
            ? strings.messages.cannotReact
            : describeProblem(error),
        );
      });
    },
    [chat, view],
  );
  const focusComposer = useCallback(() => composer.current?.focus(), []);
  const names = useMemo(
    () => typing.map((id) => people.get(id)?.displayName ?? id),
    [typing, people],
  );

  function showNewest(): void {
    view.showNewest();
    scroller.current?.scrollToEnd();
  }

  return (
    <>
      <div className="messages-frame">
        <MessageList
          view={view}
          scroller={scroller}
          onReact={onReact}
          onAtEnd={setAtEnd}
          onEscape={focusComposer}
        />
        {(!isAtEnd || hasNewer) && (
          <button
            type="button"
            className={unread > 0 ? 'jump jump-new' : 'jump'}
            aria-label={unread > 0 ? strings.messages.jumpNew(unread) : strings.messages.jump}
            onClick={() => {
              showNewest();
              focusComposer();
            }}
          >
            <Icon name="down" />
            {unread > 0 && <span className="badge">{unread > 999 ? '999+' : unread}</span>}
          </button>
        )}
      </div>
      <p className="typing" aria-live="polite" dir="auto">
        {names.length > 0 && strings.messages.typing(names)}
      </p>
      <Composer ref={composer} view={view} onSent={() => scroller.current?.scrollToEnd()} />
      <Announcer conversationId={view.conversation.id} />
    </>
  );
}
