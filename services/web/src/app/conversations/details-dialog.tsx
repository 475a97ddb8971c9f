import { useState } from 'react';
import { describeProblem } from '../chat/describe-problem.ts';
import { useChat } from '../chat/use-chat.ts';
import { PeoplePicker } from '../friends/people-picker.tsx';
import { go, paths } from '../shell/route.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { titleOf } from './summary.ts';

/** Who is in a conversation, and what its members may change about that. */
export function DetailsDialog(props: { conversationId: string; onClose: () => void }) {
  const { conversationId, onClose } = props;
  const chat = useChat();
  const conversation = useStore(chat.directory.store, ({ conversations }) =>
    conversations.get(conversationId),
  );
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [isAdding, setAdding] = useState(false);
  const [isLeaving, setLeaving] = useState(false);
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  if (conversation === undefined) {
    return null;
  }
  const { participants, type } = conversation;
  const isAdmin = participants.some(({ _id, role }) => _id === chat.userId && role === 'admin');

  async function run(action: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem('');
    try {
      await action();
      chat.directory.load();
    } catch (error) {
      setProblem(describeProblem(error));
    } finally {
      setBusy(false);
    }
  }

  const add = () =>
    run(async () => {
      await chat.client.rest.addParticipants(conversationId, [...chosen]);
      setChosen([]);
      setAdding(false);
    });
  const remove = (userId: string) =>
    run(() => chat.client.rest.removeParticipant(conversationId, userId));
  const leave = () =>
    run(async () => {
      await chat.client.rest.removeParticipant(conversationId, chat.userId);
      onClose();
      go(paths.home, { replace: true });
    });

  return (
    <Dialog title={titleOf(conversation, chat.userId)} onClose={onClose}>
      <h3>{strings.conversations.members(participants.length)}</h3>
      <ul className="options" aria-label={strings.group.members}>
        {participants.map(({ _id, displayName, bio, role }) => (
          <li key={_id} className="person">
            <Avatar id={_id} name={displayName} size="small" />
            <span className="person-name" dir="auto">
              {_id === chat.userId ? strings.you_(displayName) : displayName}
            </span>
            <span className="person-id">@{_id}</span>
            {type === 'group' && role === 'admin' && (
              <span className="role">{strings.group.admin}</span>
            )}
            {type === 'group' && isAdmin && _id !== chat.userId && (
              <button
                type="button"
                className="button button-quiet"
                aria-label={strings.group.removeMember(displayName)}
                disabled={isBusy}
                onClick={() => void remove(_id)}
              >
                {strings.group.remove}
              </button>
            )}
            {bio !== '' && (
              <span className="person-bio" dir="auto">
                {bio}
              </span>
            )}
          </li>
        ))}
      </ul>
      {isAdding && (
        <PeoplePicker
          chosen={chosen}
          onChange={setChosen}
          without={participants.map(({ _id }) => _id)}
        />
      )}
      <p className="problem" role="alert">
        {problem}
      </p>
      {type === 'group' &&
        (isLeaving ? (
          <footer>
            <p>{strings.group.leaveQuestion}</p>
            <button type="button" className="button button-quiet" onClick={() => setLeaving(false)}>
              {strings.cancel}
            </button>
            <button
              type="button"
              className="button button-danger"
              disabled={isBusy}
              onClick={() => void leave()}
            >
              {strings.group.leave}
            </button>
          </footer>
        ) : (
          <footer>
            <button
              type="button"
              className="button button-quiet button-danger-quiet"
              onClick={() => setLeaving(true)}
            >
              {strings.group.leave}
            </button>
            {isAdding ? (
              <button
                type="button"
                className="button"
                disabled={chosen.length === 0 || isBusy}
                onClick={() => void add()}
              >
                {strings.group.addChosen(chosen.length)}
              </button>
            ) : (
              <button type="button" className="button" onClick={() => setAdding(true)}>
                {strings.group.add}
              </button>
            )}
          </footer>
        ))}
    </Dialog>
  );
}
