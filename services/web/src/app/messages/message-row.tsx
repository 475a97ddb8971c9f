import type { Message, ReactionType } from '@bambochat/client';
import { memo, useState } from 'react';
import { clockTime, exactTime } from '../state/format-time.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { hueOf } from '../ui/hue.ts';
import { DeliveryMark, type DeliveryState } from './delivery-mark.tsx';
import type { OutgoingMessage } from './group-messages.ts';
import { MessageText } from './message-text.tsx';
import { ReactionBar, ReactionChips } from './reactions.tsx';

interface RowPlace {
  rowKey: string;
  isFirst: boolean;
  isLast: boolean;
}

export interface MessageRowProps extends RowPlace {
  message: Message;
  isOwn: boolean;
  /** Null where everybody knows: one's own, and in direct conversations. */
  senderName: string | null;
  /** For what is read aloud. */
  spokenName: string;
  /** Own messages only. */
  readBy: number;
  readers: number;
  userId: string;
  isMember: (userId: string) => boolean;
  nameOf: (userId: string) => string;
  onReact: (message: Message, type: ReactionType) => void;
}

/** A stored message. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, isOwn, isFirst, isLast, senderName, readBy, readers, userId } = props;
  const [isActive, setActive] = useState(false);
  const state: DeliveryState | null = !isOwn
    ? null
    : readers > 0 && readBy >= readers
      ? 'read'
      : 'stored';
  return (
    <article
      className={rowClass(isOwn, isFirst, isLast, senderName !== null)}
      data-key={props.rowKey}
      data-message-id={message._id}
      data-seq={message.seq}
      data-state={state ?? 'stored'}
      aria-label={`${props.spokenName}, ${exactTime(message.createdAt)}`}
      tabIndex={-1}
      onPointerEnter={(event) => event.pointerType === 'mouse' && setActive(true)}
      onPointerLeave={(event) => event.pointerType === 'mouse' && setActive(false)}
      onFocus={() => setActive(true)}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          setActive(false);
        }
      }}
    >
      {senderName !== null && (
        <div className="row-avatar" aria-hidden="true">
          {isLast && <Avatar id={message.senderId} name={senderName} size="small" />}
        </div>
      )}
      <div className="row-body">
        {isFirst && senderName !== null && (
          <div className="row-sender" dir="auto" data-hue={hueOf(message.senderId)}>
            {senderName}
          </div>
        )}
        <div className="bubble" dir="auto">
          <MessageText
            text={message.content}
            isMember={props.isMember}
            nameOf={props.nameOf}
            userId={userId}
          />
          <span className="bubble-end">
            <time dir="ltr" dateTime={message.createdAt} title={exactTime(message.createdAt)}>
              {clockTime(message.createdAt)}
            </time>
            {state !== null && <DeliveryMark state={state} readBy={readBy} readers={readers} />}
          </span>
          {isActive && (
            <ReactionBar
              onReact={(type) => props.onReact(message, type)}
              chosen={message.reactions.find((reaction) => reaction.userId === userId)?.type}
            />
          )}
        </div>
        {message.reactions.length > 0 && (
          <ReactionChips
            reactions={message.reactions}
            userId={userId}
            nameOf={props.nameOf}
            onReact={(type) => props.onReact(message, type)}
          />
        )}
      </div>
    </article>
  );
});

export interface OutgoingRowProps extends RowPlace {
  message: OutgoingMessage;
  userId: string;
  isMember: (userId: string) => boolean;
  nameOf: (userId: string) => string;
  onRetry: (clientMessageId: string) => void;
  onDiscard: (clientMessageId: string) => void;
}

/** A message that waits, or that was refused. */
export const OutgoingRow = memo(function OutgoingRow(props: OutgoingRowProps) {
  const { message, isFirst, isLast, onRetry, onDiscard } = props;
  const { clientMessageId, state, content, createdAt, problem } = message;
  return (
    <article
      className={rowClass(true, isFirst, isLast, false)}
      data-key={props.rowKey}
      data-message-id={clientMessageId}
      data-state={state}
      aria-label={`${strings.you}, ${exactTime(createdAt)}`}
      tabIndex={-1}
    >
      <div className="row-body">
        <div className="bubble" dir="auto">
          <MessageText
            text={content}
            isMember={props.isMember}
            nameOf={props.nameOf}
            userId={props.userId}
          />
          <span className="bubble-end">
            <time dir="ltr" dateTime={createdAt}>
              {clockTime(createdAt)}
            </time>
            <DeliveryMark state={state} readBy={0} readers={0} />
          </span>
        </div>
        {state === 'failed' && (
          <div className="row-problem">
            <span>
              {strings.messages.failed}: {problem}
            </span>
            <button type="button" className="link" onClick={() => onRetry(clientMessageId)}>
              {strings.messages.retry}
            </button>
            <button type="button" className="link" onClick={() => onDiscard(clientMessageId)}>
              {strings.messages.discard}
            </button>
          </div>
        )}
      </div>
    </article>
  );
});

function rowClass(isOwn: boolean, isFirst: boolean, isLast: boolean, isNamed: boolean): string {
  return [
    'row',
    isOwn ? 'row-own' : 'row-other',
    isFirst ? 'row-first' : '',
    isLast ? 'row-last' : '',
    isNamed ? 'row-named' : '',
  ]
    .filter(Boolean)
    .join(' ');
}
