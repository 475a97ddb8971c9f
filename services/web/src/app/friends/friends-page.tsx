import type { User } from '@bambochat/client';
import { type ReactNode, useState } from 'react';
import { describeProblem } from '../chat/describe-problem.ts';
import { useChat } from '../chat/use-chat.ts';
import { PeerStatus } from '../messages/conversation-header.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { go, paths } from '../shell/route.ts';
import { useStore } from '../state/use-store.ts';
import { strings } from '../strings.ts';
import { Avatar } from '../ui/avatar.tsx';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { Menu } from '../ui/menu.tsx';
import { relationTo } from './friend-list.ts';
import { usePeopleSearch } from './use-people-search.ts';

interface Question {
  text: string;
  label: string;
  action: () => Promise<void>;
}

export function FriendsPage() {
  const chat = useChat();
  const table = useStore(chat.friends.store);
  const people = useStore(chat.people.store);
  const online = useStore(chat.presence.store, (board) => board.online);
  const { text, setText, found, isSearching } = usePeopleSearch();
  const [question, setQuestion] = useState<Question | null>(null);
  const nameOf = (id: string) => people.get(id)?.displayName ?? id;
  const friends = table.friends.toSorted(
    (one, other) =>
      Number(online.has(other._id)) - Number(online.has(one._id)) ||
      one.displayName.localeCompare(other.displayName),
  );

  async function run(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      chat.notices.show(describeProblem(error));
    }
  }

  const write = (userId: string) =>
    run(async () => {
      const { conversation } = await chat.client.rest.createConversation({
        type: 'direct_message',
        participantIds: [userId],
      });
      chat.directory.add(conversation);
      go(paths.conversation(conversation._id));
    });

  function button(
    label: string,
    action: () => Promise<void>,
    options: { isQuiet?: boolean; of: string },
  ): ReactNode {
    return (
      <button
        type="button"
        className={options.isQuiet === true ? 'button button-quiet' : 'button'}
        aria-label={`${label}: ${nameOf(options.of)}`}
        onClick={() => void run(action)}
      >
        {label}
      </button>
    );
  }

  function more(id: string, relation: 'friend' | 'none'): ReactNode {
    const { remove, removeQuestion, block, blockQuestion } = strings.friends;
    const name = nameOf(id);
    const ask = (text: string, label: string, action: () => Promise<void>) => ({
      label,
      onChoose: () => setQuestion({ text, label, action }),
    });
    const removal = ask(removeQuestion(name), remove, () => chat.friends.remove(id));
    const blocking = ask(blockQuestion(name), block, () => chat.friends.block(id));
    const items = relation === 'friend' ? [removal, blocking] : [blocking];
    return <Menu label={strings.friends.more(name)} items={items} />;
  }

  function actionsFor(id: string): ReactNode {
    const { friends, received } = table;
    switch (relationTo(table, id)) {
      case 'friend':
        return friends.some(({ _id }) => _id === id) ? (
          <span className="role">{strings.friends.isFriend}</span>
        ) : null;
      case 'received': {
        const request = received.find(({ requesterId }) => requesterId === id);
        return request === undefined
          ? null
          : button(strings.friends.accept, () => chat.friends.answer(request, 'accept'), {
              of: id,
            });
      }
      case 'sent':
        return <span className="role">{strings.friends.asked}</span>;
      case 'blocked':
        return button(strings.friends.unblock, () => chat.friends.unblock(id), {
          isQuiet: true,
          of: id,
        });
      case 'none':
        return (
          <>
            {button(strings.friends.add, () => chat.friends.request(id), { of: id })}
            {more(id, 'none')}
          </>
        );
    }
  }

  return (
    <section className="page">
      <PageHeader title={strings.friends.label} />
      <div className="page-body">
        <div className="search">
          <input
            type="search"
            aria-label={strings.friends.find}
            placeholder={strings.create.find}
            autoCapitalize="none"
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        {text.trim() !== '' && (
          <Section title={strings.friends.find} isBusy={isSearching}>
            {found
              .filter(({ _id }) => _id !== chat.userId)
              .map((user: User) => (
                <PersonRow key={user._id} id={user._id} name={user.displayName} bio={user.bio}>
                  {actionsFor(user._id)}
                </PersonRow>
              ))}
            {!isSearching && found.length === 0 && (
              <li className="hint">{strings.create.nobody(text.trim())}</li>
            )}
          </Section>
        )}
        {table.received.length > 0 && (
          <Section title={strings.friends.requests}>
            {table.received.map((request) => (
              <PersonRow
                key={request._id}
                id={request.requesterId}
                name={nameOf(request.requesterId)}
              >
                {button(strings.friends.accept, () => chat.friends.answer(request, 'accept'), {
                  of: request.requesterId,
                })}
                {button(strings.friends.reject, () => chat.friends.answer(request, 'reject'), {
                  isQuiet: true,
                  of: request.requesterId,
                })}
              </PersonRow>
            ))}
          </Section>
        )}
        <Section title={strings.friends.all}>
          {friends.map(({ _id, displayName, bio }) => (
            <PersonRow
              key={_id}
              id={_id}
              name={displayName}
              bio={bio}
              isOnline={online.has(_id)}
              isFriend
            >
              {button(strings.friends.message, () => write(_id), { isQuiet: true, of: _id })}
              {more(_id, 'friend')}
            </PersonRow>
          ))}
          {table.isLoaded && friends.length === 0 && (
            <li className="hint">
              {strings.friends.none}. {strings.friends.noneHint}
            </li>
          )}
        </Section>
        {table.sent.length > 0 && (
          <Section title={strings.friends.sent}>
            {table.sent.map(({ _id, addresseeId }) => (
              <PersonRow key={_id} id={addresseeId} name={nameOf(addresseeId)}>
                {button(strings.friends.withdraw, () => chat.friends.remove(addresseeId), {
                  isQuiet: true,
                  of: addresseeId,
                })}
              </PersonRow>
            ))}
          </Section>
        )}
        {table.blocked.length > 0 && (
          <Section title={strings.friends.blocked}>
            {table.blocked.map(({ _id, addresseeId }) => (
              <PersonRow key={_id} id={addresseeId} name={nameOf(addresseeId)}>
                {button(strings.friends.unblock, () => chat.friends.unblock(addresseeId), {
                  isQuiet: true,
                  of: addresseeId,
                })}
              </PersonRow>
            ))}
          </Section>
        )}
      </div>
      {question !== null && (
        <ConfirmDialog
          text={question.text}
          label={question.label}
          onConfirm={() => void run(question.action)}
          onClose={() => setQuestion(null)}
        />
      )}
    </section>
  );
}

function Section(props: { title: string; isBusy?: boolean; children: ReactNode }) {
  return (
    <section className="people">
      <h3>{props.title}</h3>
      <ul aria-label={props.title} aria-busy={props.isBusy}>
        {props.children}
      </ul>
    </section>
  );
}

function PersonRow(props: {
  id: string;
  name: string;
  bio?: string;
  isOnline?: boolean;
  isFriend?: boolean;
  children: ReactNode;
}) {
  const { id, name, bio = '', isOnline, isFriend = false, children } = props;
  return (
    <li className="person" data-user-id={id}>
      <Avatar id={id} name={name} isOnline={isOnline} />
      <span className="person-name" dir="auto">
        {name}
      </span>
      <span className="person-id">{isFriend ? <PeerStatus userId={id} /> : `@${id}`}</span>
      {bio !== '' && (
        <span className="person-bio" dir="auto">
          {bio}
        </span>
      )}
      <span className="person-actions">{children}</span>
    </li>
  );
}
