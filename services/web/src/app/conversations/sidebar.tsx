import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { paths, useRoute } from '../shell/route.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Icon } from '../ui/icon.tsx';
import { Logo } from '../ui/logo.tsx';
import { ConversationList } from './conversation-list.tsx';

const NewConversationDialog = lazy(async () => ({
  default: (await import('./new-conversation-dialog.tsx')).NewConversationDialog,
}));

const ConfirmDialog = lazy(async () => ({
  default: (await import('../ui/confirm-dialog.tsx')).ConfirmDialog,
}));

export function Sidebar() {
  const chat = useChat();
  const { page } = useRoute();
  const [search, setSearch] = useState('');
  const [isCreating, setCreating] = useState(false);
  const waiting = useStore(chat.friends.store, ({ received }) => received.length);
  const [isLeaving, setLeaving] = useState(false);
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        field.current?.focus();
        field.current?.select();
      }
    };
    globalThis.addEventListener('keydown', onKeyDown);
    return () => globalThis.removeEventListener('keydown', onKeyDown);
  }, []);

  function logOut(): void {
    const summaries = [...chat.directory.store.get().summaries.values()];
    if (summaries.some(({ outgoing }) => outgoing === 'pending')) {
      setLeaving(true);
    } else {
      void chat.logOut();
    }
  }

  return (
    <div className="sidebar">
      <header className="sidebar-header">
        <Logo />
        <h1>{strings.product}</h1>
        <button
          type="button"
          className="icon-button icon-button-accent"
          aria-label={strings.conversations.create}
          title={strings.conversations.create}
          onClick={() => setCreating(true)}
        >
          <Icon name="compose" />
        </button>
      </header>
      <search className="search">
        <Icon name="search" />
        <input
          ref={field}
          type="search"
          aria-label={strings.conversations.search}
          placeholder={strings.conversations.searchHint}
          title={`${strings.conversations.search} (Ctrl K)`}
          dir="auto"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') {
              setSearch('');
            } else if (event.key === 'ArrowDown') {
              event.preventDefault();
              document.querySelector<HTMLElement>('.conversation')?.focus();
            }
          }}
        />
      </search>
      <ConversationList search={search} onCreate={() => setCreating(true)} />
      <nav className="sidebar-footer" aria-label={strings.product}>
        <NavLink href={paths.friends} isCurrent={page === 'friends'} icon="friends">
          {strings.friends.label}
          {waiting > 0 && (
            <span className="badge">
              <span aria-hidden="true">{waiting > 99 ? '99+' : waiting}</span>
              <span className="hidden">{strings.friends.waiting(waiting)}</span>
            </span>
          )}
        </NavLink>
        <NavLink href={paths.profile} isCurrent={page === 'profile'} icon="profile">
          {strings.profile.label}
        </NavLink>
        <button type="button" className="nav-link" onClick={logOut}>
          <Icon name="leave" />
          <span>{strings.session.logOut}</span>
        </button>
      </nav>
      {isLeaving && (
        <Suspense>
          <ConfirmDialog
            text={strings.session.logOutWaiting}
            label={strings.session.logOut}
            onConfirm={() => void chat.logOut()}
            onClose={() => setLeaving(false)}
          />
        </Suspense>
      )}
      {isCreating && (
        <Suspense>
          <NewConversationDialog onClose={() => setCreating(false)} />
        </Suspense>
      )}
    </div>
  );
}

function NavLink(props: {
  href: string;
  isCurrent: boolean;
  icon: 'friends' | 'profile';
  children: React.ReactNode;
}) {
  return (
    <a className="nav-link" href={props.href} aria-current={props.isCurrent ? 'page' : undefined}>
      <Icon name={props.icon} />
      <span>{props.children}</span>
    </a>
  );
}
