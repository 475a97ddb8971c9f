import type { Message, ReactionType } from '@bambochat/client';
import { type RefObject, useCallback, useEffect, useMemo, useRef } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { titleOf } from '../conversations/summary.ts';
import { dayTitle } from '../state/format-time.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import type { ConversationView } from './conversation-view.ts';
import { MessageRow, OutgoingRow } from './message-row.tsx';
import { MessageScroller } from './message-scroller.tsx';

export function MessageList(props: {
  view: ConversationView;
  scroller: RefObject<MessageScroller | null>;
  onReact: (message: Message, type: ReactionType) => void;
  onAtEnd: (isAtEnd: boolean) => void;
  onEscape: () => void;
}) {
  const { view, scroller, onReact, onAtEnd, onEscape } = props;
  const chat = useChat();
  const { status, rows, hasOlder, hasNewer, hasFailed, readSeqs } = useStore(view.store);
  const conversation = useStore(chat.directory.store, ({ conversations }) =>
    conversations.get(view.conversation.id),
  );
  const people = useStore(chat.people.store);
  const memberIds = conversation?.participants.map(({ _id }) => _id).join(' ') ?? '';
  const isMember = useMemo(() => {
    const ids = new Set(memberIds.split(' '));
    return (userId: string) => ids.has(userId);
  }, [memberIds]);
  const nameOf = useCallback(
    (userId: string) => people.get(userId)?.displayName ?? userId,
    [people],
  );
  const title = conversation === undefined ? '' : titleOf(conversation, chat.userId);
  const beginning =
    conversation?.type === 'direct_message'
      ? strings.messages.beginningWith(title)
      : strings.messages.beginning;
  const isGroup = conversation?.type === 'group';
  const readers = (conversation?.participants.length ?? 1) - 1;
  const look = useLooking(view, onAtEnd);
  const onRetry = useCallback((id: string) => chat.failed.retry(id), [chat]);
  const onDiscard = useCallback((id: string) => chat.failed.discard(id), [chat]);

  return (
    <MessageScroller
      ref={scroller}
      showing={status}
      hasNewer={hasNewer}
      isBusy={status === 'opening'}
      onNearStart={() => status === 'ready' && !hasFailed && hasOlder && void view.loadOlder()}
      onNearEnd={() => !hasFailed && hasNewer && void view.loadNewer()}
      onLook={look}
      onEscape={onEscape}
    >
      <div className="messages-start">
        {status === 'opening' && <Bones />}
        {status === 'unavailable' && <p className="hint">{strings.messages.offlineHistory}</p>}
        {status === 'ready' && hasFailed && (
          <p className="hint">
            {strings.messages.cannotLoad}{' '}
            <button type="button" className="link" onClick={() => void view.loadOlder()}>
              {strings.tryAgain}
            </button>
          </p>
        )}
        {status === 'ready' && !hasFailed && hasOlder && (
          <p className="hint">{strings.messages.loadingOlder}</p>
        )}
        {status === 'ready' && !hasOlder && <p className="hint">{beginning}</p>}
      </div>
      {rows.map((row) => {
        switch (row.kind) {
          case 'day':
            return (
              <h3 key={row.key} className="day">
                <span>{dayTitle(row.at)}</span>
              </h3>
            );
          case 'divider':
            return (
              <div key={row.key} className="divider" data-divider>
                <span>{strings.messages.newMessages}</span>
              </div>
            );
          case 'outgoing':
            return (
              <OutgoingRow
                key={row.key}
                rowKey={row.key}
                message={row.message}
                isFirst={row.isFirst}
                isLast={row.isLast}
                userId={chat.userId}
                isMember={isMember}
                nameOf={nameOf}
                onRetry={onRetry}
                onDiscard={onDiscard}
              />
            );
          case 'message': {
            const { senderId, seq } = row.message;
            const isOwn = senderId === chat.userId;
            const name = nameOf(senderId);
            return (
              <MessageRow
                key={row.key}
                rowKey={row.key}
                message={row.message}
                isFirst={row.isFirst}
                isLast={row.isLast}
                isOwn={isOwn}
                senderName={isOwn || !isGroup ? null : name}
                spokenName={isOwn ? strings.you : name}
                readBy={isOwn ? readSeqs.filter((read) => read >= seq).length : 0}
                readers={readers}
                userId={chat.userId}
                isMember={isMember}
                nameOf={nameOf}
                onReact={onReact}
              />
            );
          }
        }
        return null;
      })}
    </MessageScroller>
  );
}

/** What the user has had before their eyes is read: while the page is in front, and only then. */
function useLooking(view: ConversationView, onAtEnd: (isAtEnd: boolean) => void) {
  const last = useRef<{ lastSeenKey: string | null; isAtEnd: boolean }>({
    lastSeenKey: null,
    isAtEnd: true,
  });
  const apply = useCallback(() => {
    const { lastSeenKey, isAtEnd } = last.current;
    const isInFront = document.visibilityState === 'visible' && document.hasFocus();
    view.attend(isInFront && isAtEnd);
    if (isInFront && lastSeenKey !== null) {
      const { rows } = view.store.get();
      const index = rows.findLastIndex(({ key }) => key === lastSeenKey);
      const seen = rows.slice(0, index + 1).findLast((row) => row.kind === 'message');
      if (seen?.kind === 'message') {
        view.markRead(seen.message);
      }
    }
  }, [view]);
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    globalThis.addEventListener('focus', apply, { signal });
    globalThis.addEventListener('blur', apply, { signal });
    document.addEventListener('visibilitychange', apply, { signal });
    return () => stop.abort();
  }, [apply]);
  return useCallback(
    (look: { lastSeenKey: string | null; isAtEnd: boolean }) => {
      last.current = look;
      onAtEnd(look.isAtEnd);
      apply();
    },
    [apply, onAtEnd],
  );
}

function Bones() {
  return (
    <div className="messages-bones" aria-hidden="true">
      {[62, 38, 54, 28, 46].map((width, index) => (
        <span
          key={width}
          className="bone"
          data-side={index % 3 === 1 ? 'end' : 'start'}
          style={{ width: `${width}%` }}
        />
      ))}
    </div>
  );
}
