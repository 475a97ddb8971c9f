import { type FormEvent, useRef, useState } from 'react';
import { go, paths, useRoute } from '../shell/route.ts';
import { strings } from '../strings.ts';
import { Field } from '../ui/field.tsx';
import { Icon } from '../ui/icon.tsx';
import { Logo } from '../ui/logo.tsx';
import { type AccountProblems, checkAccount, explainRefusal } from './check-account.ts';
import type { SessionStore } from './session-store.ts';

export function SignIn(props: { session: SessionStore; hasEnded: boolean }) {
  const isNew = useRoute().page === 'register';
  const [problems, setProblems] = useState<AccountProblems>({});
  const [isBusy, setBusy] = useState(false);
  const [isVisible, setVisible] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const text = strings.session;

  async function submit(): Promise<void> {
    const data = new FormData(form.current ?? undefined);
    const read = (name: string) => String(data.get(name) ?? '');
    const fields = {
      id: read('id').trim(),
      email: read('email').trim(),
      password: read('password'),
    };
    let found = checkAccount(fields, isNew);
    if (Object.keys(found).length === 0) {
      setBusy(true);
      setProblems({});
      try {
        await (isNew
          ? props.session.createAccount(fields)
          : props.session.logIn(fields.id, fields.password));
        if (isNew) {
          go(paths.home, { replace: true });
        }
        return;
      } catch (error) {
        found = explainRefusal(error);
        setBusy(false);
      }
    }
    setProblems(found);
    const [first] = Object.keys(found);
    form.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
  }

  function onSubmit(event: FormEvent): void {
    event.preventDefault();
    void submit();
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <header>
          <Logo />
          <h1>{strings.product}</h1>
          <p>{isNew ? text.joinUs : text.welcomeBack}</p>
        </header>
        {props.hasEnded && !isNew && <p className="banner">{text.ended}</p>}
        {/* Names for password managers; the checks are ours, so that their words are too. */}
        <form ref={form} noValidate onSubmit={onSubmit}>
          <Field
            label={text.username}
            hint={isNew ? text.usernameHint : ''}
            problem={problems.id}
            name="id"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={isNew ? 50 : 256}
            dir="ltr"
            required
          />
          {isNew && (
            <Field
              label={text.email}
              hint={text.emailHint}
              problem={problems.email}
              name="email"
              type="email"
              autoComplete="email"
              dir="ltr"
              required
            />
          )}
          <Field
            label={text.password}
            hint={isNew ? text.passwordHint : ''}
            problem={problems.password}
            name="password"
            type={isVisible ? 'text' : 'password'}
            autoComplete={isNew ? 'new-password' : 'current-password'}
            dir="ltr"
            required
          >
            <button
              type="button"
              className="icon-button"
              aria-label={isVisible ? text.hidePassword : text.showPassword}
              aria-pressed={isVisible}
              onClick={() => setVisible(!isVisible)}
            >
              <Icon name="eye" />
            </button>
          </Field>
          <p className="problem form-problem" role="alert">
            {problems.form ?? ''}
          </p>
          <button type="submit" className="button button-wide" disabled={isBusy}>
            {isBusy ? text.busy : isNew ? text.createAccount : text.logIn}
          </button>
        </form>
        <p className="sign-in-other">
          {isNew ? text.haveAccount : text.noAccount}{' '}
          <button
            type="button"
            className="link"
            onClick={() => {
              go(isNew ? paths.home : paths.register);
              setProblems({});
            }}
          >
            {isNew ? text.logIn : text.createAccount}
          </button>
        </p>
      </div>
    </main>
  );
}
