import type { OwnUser } from '@bambochat/client';
import { useEffect, useId, useState } from 'react';
import { describeProblem } from '../chat/describe-problem.ts';
import { useChat } from '../chat/use-chat.ts';
import { PageHeader } from '../shell/page-header.tsx';
import { chooseTheme, chosenTheme, type Theme } from '../shell/theme.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Field } from '../ui/field.tsx';

const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

export function ProfilePage() {
  const chat = useChat();
  const isLive = useStore(chat.connection, ({ name }) => name === 'live');
  const [user, setUser] = useState<OwnUser | null>(null);
  const [problem, setProblem] = useState('');
  const [theme, setTheme] = useState(chosenTheme);
  useEffect(() => {
    if (isLive) {
      chat.client.rest.me().then(
        (me) => {
          setUser(me);
          setProblem('');
        },
        (error: unknown) => setProblem(describeProblem(error)),
      );
    }
  }, [chat, isLive]);
  return (
    <section className="page">
      <PageHeader title={strings.profile.label} />
      <div className="page-body">
        {user === null ? (
          <p className="hint">{problem === '' ? strings.loading : problem}</p>
        ) : (
          <ProfileForm user={user} onSaved={setUser} />
        )}
        <fieldset className="choices">
          <legend>{strings.profile.theme}</legend>
          {THEMES.map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="theme"
                checked={theme === one}
                onChange={() => {
                  chooseTheme(one);
                  setTheme(one);
                }}
              />
              <span>{strings.profile.themes[one]}</span>
            </label>
          ))}
        </fieldset>
        <section className="keys">
          <h3>{strings.profile.shortcuts}</h3>
          <dl>
            {strings.shortcuts.map(([key, what]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </section>
  );
}

function ProfileForm(props: { user: OwnUser; onSaved: (user: OwnUser) => void }) {
  const { user, onSaved } = props;
  const chat = useChat();
  const [displayName, setDisplayName] = useState(user.displayName);
  const [bio, setBio] = useState(user.bio);
  const [problem, setProblem] = useState<string | undefined>();
  const [isSaved, setSaved] = useState(false);
  const bioId = useId();

  async function save(): Promise<void> {
    setSaved(false);
    if (displayName.trim() === '') {
      setProblem(strings.profile.nameMissing);
      return;
    }
    try {
      const saved = await chat.client.rest.updateProfile({ displayName: displayName.trim(), bio });
      chat.people.learn([saved]);
      chat.directory.load();
      setProblem(undefined);
      setSaved(true);
      onSaved(saved);
    } catch (error) {
      setProblem(describeProblem(error));
    }
  }

  return (
    <form
      className="profile"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div className="profile-head">
        <Avatar
          id={user._id}
          name={displayName.trim() === '' ? user._id : displayName}
          size="large"
        />
        <dl>
          <dt className="hidden">{strings.profile.username}</dt>
          <dd className="profile-id">@{user._id}</dd>
          <dt className="hidden">{strings.profile.email}</dt>
          <dd className="hint">{user.email}</dd>
        </dl>
      </div>
      <Field
        label={strings.profile.displayName}
        problem={problem}
        maxLength={100}
        autoComplete="name"
        value={displayName}
        onChange={(event) => {
          setDisplayName(event.target.value);
          setSaved(false);
        }}
      />
      <div className="field">
        <label htmlFor={bioId}>{strings.profile.bio}</label>
        <textarea
          id={bioId}
          rows={3}
          maxLength={500}
          dir="auto"
          value={bio}
          onChange={(event) => {
            setBio(event.target.value);
            setSaved(false);
          }}
        />
        <p className="hint">{strings.profile.bioHint}</p>
      </div>
      <div className="profile-save">
        <button type="submit" className="button">
          {strings.profile.save}
        </button>
        <span role="status" className="hint">
          {isSaved && strings.profile.saved}
        </span>
      </div>
    </form>
  );
}
