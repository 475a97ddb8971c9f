import type { User } from '@bambochat/client';
import { useEffect, useState } from 'react';
import { useChat } from '../chat/use-chat.ts';

/** Milliseconds without a key after which is searched. */
const PAUSE = 200;

/** Users whose id begins with what is written; what comes too late is dropped. */
export function usePeopleSearch() {
  const chat = useChat();
  const [text, setText] = useState('');
  const [answer, setAnswer] = useState<{ prefix: string; users: readonly User[] }>({
    prefix: '',
    users: [],
  });
  const prefix = text.trim().replace(/^@/, '');
  useEffect(() => {
    if (prefix === '') {
      return;
    }
    let isWanted = true;
    const timer = setTimeout(() => {
      void chat.client.rest
        .searchUsers(prefix)
        .catch(() => [])
        .then((users) => {
          if (isWanted) {
            chat.people.learn(users);
            setAnswer({ prefix, users });
          }
        });
    }, PAUSE);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [chat, prefix]);
  const isSearching = prefix !== '' && answer.prefix !== prefix;
  return { text, setText, found: prefix === '' || isSearching ? [] : answer.users, isSearching };
}
