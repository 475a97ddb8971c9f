import { useState } from 'react';
import { describeProblem } from '../chat/describe-problem.ts';
import { useChat } from '../chat/use-chat.ts';
import { PeoplePicker } from '../friends/people-picker.tsx';
import { go, paths } from '../shell/route.ts';
import { strings } from '../strings.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Field } from '../ui/field.tsx';

/** One person: a direct conversation, the existing one if there is. Several: a group. */
export function NewConversationDialog({ onClose }: { onClose: () => void }) {
  const chat = useChat();
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [name, setName] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isGroup = chosen.length > 1 || name.trim() !== '';

  async function create(): Promise<void> {
    setBusy(true);
    setProblem('');
    try {
      const { conversation } = await chat.client.rest.createConversation({
        type: isGroup ? 'group' : 'direct_message',
        participantIds: [...chosen],
        ...(isGroup && name.trim() !== '' ? { name: name.trim() } : {}),
      });
      chat.directory.add(conversation);
      onClose();
      go(paths.conversation(conversation._id));
    } catch (error) {
      setProblem(describeProblem(error));
      setBusy(false);
    }
  }

  return (
    <Dialog title={strings.create.title} onClose={onClose}>
      <form
        className="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen.length > 0 && !isBusy) {
            void create();
          }
        }}
      >
        <PeoplePicker chosen={chosen} onChange={setChosen} without={[chat.userId]} />
        {chosen.length > 1 && (
          <Field
            label={strings.create.groupName}
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
        <p className="problem" role="alert">
          {problem}
        </p>
        <footer>
          <button type="submit" className="button" disabled={chosen.length === 0 || isBusy}>
            {chosen.length > 1 ? strings.create.startGroup : strings.create.start}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
