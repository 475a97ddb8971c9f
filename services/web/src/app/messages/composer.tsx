import {
  type KeyboardEvent,
  type Ref,
  useEffect,
  useImperativeHandle,
  useRef,
  useState,
} from 'react';
import { useChat } from '../chat/use-chat.ts';
import { titleOf } from '../conversations/summary.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';
import type { ConversationView } from './conversation-view.ts';

/** Characters, after trimming, as the contract has it. */
const LENGTH_MAX = 4000;
const LENGTH_TOLD = 3800;

/** What was begun and not sent, by conversation, while the page lives. */
const drafts = new Map<string, string>();

export function Composer(props: {
  ref: Ref<HTMLTextAreaElement>;
  view: ConversationView;
  onSent: () => void;
}) {
  const { view, onSent } = props;
  const chat = useChat();
  const { conversation } = view;
  const [text, setText] = useState(() => drafts.get(conversation.id) ?? '');
  const field = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(props.ref, () => field.current as HTMLTextAreaElement);
  const title = useStore(chat.directory.store, ({ conversations }) => {
    const known = conversations.get(conversation.id);
    return known === undefined ? '' : titleOf(known, chat.userId);
  });
  const length = text.length < LENGTH_TOLD ? text.length : [...text.trim()].length;
  const canSend = text.trim() !== '' && length <= LENGTH_MAX;

  useEffect(() => {
    // A keyboard that covers half of the screen comes when it is asked for.
    if (globalThis.matchMedia('(hover: hover)').matches) {
      field.current?.focus();
    }
  }, []);

  function write(next: string): void {
    setText(next);
    if (next === '') {
      drafts.delete(conversation.id);
      conversation.stopTyping();
    } else {
      drafts.set(conversation.id, next);
      conversation.keyPressed();
    }
  }

  function send(): void {
    if (canSend) {
      view.send(text);
      setText('');
      drafts.delete(conversation.id);
      onSent();
      field.current?.focus();
    }
  }

  function onKeyDown(event: KeyboardEvent): void {
    // While characters are being composed, Enter chooses one of them. 229: Safari, where it has just ended.
    const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === 'Enter' && !event.shiftKey && !isComposing) {
      event.preventDefault();
      send();
    }
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="composer-field" data-text={`${text}\n`}>
        <textarea
          ref={field}
          rows={1}
          dir="auto"
          aria-label={strings.messages.composer}
          placeholder={strings.messages.placeholder(title)}
          enterKeyHint="send"
          value={text}
          onChange={(event) => write(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={() => conversation.stopTyping()}
        />
      </div>
      {length >= LENGTH_TOLD && (
        <span
          className={length > LENGTH_MAX ? 'composer-count problem' : 'composer-count hint'}
          role="status"
        >
          {length > LENGTH_MAX
            ? strings.messages.tooLong(length - LENGTH_MAX)
            : strings.messages.charactersLeft(LENGTH_MAX - length)}
        </span>
      )}
      <button
        type="submit"
        className="send"
        aria-label={strings.messages.send}
        aria-disabled={!canSend}
      >
        <Icon name="send" />
      </button>
    </form>
  );
}
