import { memo } from 'react';
import { hueOf } from './hue.ts';

/** The initials of a user or a group, on a tint of its own. Beside a name, so it says nothing itself. */
export const Avatar = memo(function Avatar(props: {
  id: string;
  name: string;
  size?: 'small' | 'medium' | 'large';
  isGroup?: boolean;
  /** Undefined: nothing is known, and nothing is shown. */
  isOnline?: boolean | undefined;
}) {
  const { id, name, size = 'medium', isGroup = false, isOnline } = props;
  return (
    <span
      className={`avatar avatar-${size}${isGroup ? ' avatar-group' : ''}`}
      data-hue={hueOf(id)}
      aria-hidden="true"
    >
      {initialsOf(name)}
      {isOnline === true && <span className="avatar-dot" />}
    </span>
  );
});

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function firstOf(word: string): string {
  const [first] = graphemes.segment(word);
  return first?.segment ?? '';
}

export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => /^[\p{L}\p{N}]/u.test(word));
  const [first = name.trim(), ...others] = words;
  const last = others.at(-1);
  return (firstOf(first) + (last === undefined ? '' : firstOf(last))).toLocaleUpperCase();
}
