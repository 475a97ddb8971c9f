import { memo, useMemo } from 'react';
import { strings } from '../strings.ts';
import { parseText } from './parse-text.ts';

/** Up to three emoji and nothing else are shown large. */
const FEW_EMOJI = /^(?:\p{RGI_Emoji}\s*){1,3}$/v;

/** The text of a message: links and mentions are recognised, everything else is plain text. */
export const MessageText = memo(function MessageText(props: {
  text: string;
  userId: string;
  isMember: (userId: string) => boolean;
  nameOf: (userId: string) => string;
}) {
  const { text, userId, isMember, nameOf } = props;
  const parts = useMemo(() => parseText(text, isMember), [text, isMember]);
  const isEmoji = text.length <= 60 && FEW_EMOJI.test(text.trim());
  return (
    <span className={isEmoji ? 'text text-emoji' : 'text'}>
      {parts.map((part, index) => {
        // Parts have no identity but their place, and a text does not change.
        const key = index;
        if (part.type === 'link') {
          return (
            <a key={key} href={part.url} target="_blank" rel="noopener noreferrer nofollow">
              {part.text}
            </a>
          );
        }
        if (part.type === 'mention') {
          const isMe = part.userId === userId;
          return (
            <mark
              key={key}
              className={isMe ? 'mention mention-me' : 'mention'}
              title={isMe ? strings.messages.yourMention : nameOf(part.userId)}
            >
              {part.text}
            </mark>
          );
        }
        return part.text;
      })}
    </span>
  );
});
