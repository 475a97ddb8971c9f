import type { Reaction, ReactionType } from '@bambochat/client';
import { strings } from '../strings.ts';

const TYPES: readonly ReactionType[] = ['like', 'love', 'haha', 'sad', 'angry'];
const SYMBOLS: Readonly<Record<ReactionType, string>> = {
  like: '👍',
  love: '❤️',
  haha: '😄',
  sad: '😢',
  angry: '😠',
};

/** To choose from, beside a message. */
export function ReactionBar(props: {
  chosen: ReactionType | undefined;
  onReact: (type: ReactionType) => void;
}) {
  return (
    <div className="reaction-bar" role="toolbar" aria-label={strings.messages.react}>
      {TYPES.map((type) => (
        <button
          key={type}
          type="button"
          aria-label={strings.messages.reactWith(strings.reactionNames[type])}
          aria-pressed={props.chosen === type}
          onClick={() => props.onReact(type)}
        >
          <span aria-hidden="true">{SYMBOLS[type]}</span>
        </button>
      ))}
    </div>
  );
}

/** Below a message: which, how many, and whose. */
export function ReactionChips(props: {
  reactions: readonly Reaction[];
  userId: string;
  nameOf: (userId: string) => string;
  onReact: (type: ReactionType) => void;
}) {
  const { reactions, userId, nameOf, onReact } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    <div className="chips" role="group" aria-label={strings.messages.reactions}>
      {TYPES.map((type) => {
        const users = reactions.filter((reaction) => reaction.type === type);
        if (users.length === 0) {
          return null;
        }
        const names = users.map((one) =>
          one.userId === userId ? strings.you : nameOf(one.userId),
        );
        const who = strings.and(names);
        return (
          <button
            key={type}
            type="button"
            className="chip"
            aria-pressed={users.some((one) => one.userId === userId)}
            aria-label={strings.messages.reactedWith(
              users.length,
              strings.reactionNames[type],
              who,
            )}
            title={who}
            onClick={() => onReact(type)}
          >
            <span aria-hidden="true">{SYMBOLS[type]}</span>
            <span className="chip-count">{users.length}</span>
          </button>
        );
      })}
    </div>
  );
}
