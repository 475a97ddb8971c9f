import { type KeyboardEvent, useId } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Icon } from '../ui/icon.tsx';
import { usePeopleSearch } from './use-people-search.ts';

/** Choose people: friends at once, others by the beginning of their username. */
export function PeoplePicker(props: {
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
  /** Not to be chosen. */
  without: readonly string[];
}) {
  const { chosen, onChange, without } = props;
  const chat = useChat();
  const people = useStore(chat.people.store);
  const friends = useStore(chat.friends.store, (table) => table.friends);
  const { text, setText, found, isSearching } = usePeopleSearch();
  const id = useId();
  const nameOf = (userId: string) => people.get(userId)?.displayName ?? userId;
  const needle = text.trim().toLowerCase();
  const fitting = friends.filter(
    ({ _id, displayName }) =>
      needle === '' ||
      _id.toLowerCase().startsWith(needle) ||
      displayName
        .toLowerCase()
        .split(/\s+/)
        .some((word) => word.startsWith(needle)),
  );
  const others = found.filter(({ _id }) => !fitting.some((friend) => friend._id === _id));
  const options = [...fitting, ...others].filter(({ _id }) => !without.includes(_id));

  function toggle(userId: string): void {
    onChange(
      chosen.includes(userId) ? chosen.filter((one) => one !== userId) : [...chosen, userId],
    );
    setText('');
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Backspace' && text === '') {
      onChange(chosen.slice(0, -1));
    } else if (event.key === 'Enter' && text !== '') {
      event.preventDefault();
      const [first] = options.filter(({ _id }) => !chosen.includes(_id));
      if (first !== undefined) {
        toggle(first._id);
      }
    }
  }

  return (
    <div className="picker">
      <label htmlFor={id}>{strings.create.people}</label>
      <div className="picker-field">
        {chosen.length > 0 && (
          <ul aria-label={strings.create.chosen}>
            {chosen.map((userId) => (
              <li key={userId}>
                <button
                  type="button"
                  className="token"
                  aria-label={strings.create.remove(nameOf(userId))}
                  onClick={() => toggle(userId)}
                >
                  <span dir="auto">{nameOf(userId)}</span>
                  <Icon name="close" />
                </button>
              </li>
            ))}
          </ul>
        )}
        <input
          id={id}
          type="search"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder={chosen.length === 0 ? strings.create.findHint : strings.create.findMore}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul className="options" aria-label={strings.create.found} aria-busy={isSearching}>
        {options.map(({ _id, displayName }) => (
          <li key={_id}>
            <button
              type="button"
              className="person"
              aria-pressed={chosen.includes(_id)}
              onClick={() => toggle(_id)}
            >
              <Avatar id={_id} name={displayName} size="small" />
              <span className="person-name" dir="auto">
                {displayName}
              </span>
              <span className="person-id">@{_id}</span>
              {chosen.includes(_id) && <Icon name="check" />}
            </button>
          </li>
        ))}
        {options.length === 0 && !isSearching && (
          <li className="hint">
            {text.trim() === '' ? strings.create.noFriends : strings.create.nobody(text.trim())}
          </li>
        )}
      </ul>
    </div>
  );
}
