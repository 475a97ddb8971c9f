import { createContext, use } from 'react';
import type { Chat } from './chat.ts';

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = use(ChatContext);
  if (chat === null) {
    throw new Error('there is no chat above this component');
  }
  return chat;
}
