import { useEffect, useState } from 'react';
import { useChat } from '../chat/use-chat.ts';
import { strings } from '../strings.ts';

/** Tells those who listen what others say in the conversation that is open. */
export function Announcer({ conversationId }: { conversationId: string }) {
  const chat = useChat();
  const [text, setText] = useState('');
  useEffect(
    () =>
      chat.client.on('message', (message) => {
        const isNews = chat.connection.get().name === 'live' && message.senderId !== chat.userId;
        if (isNews && message.conversationId === conversationId) {
          setText(strings.messages.said(chat.people.nameOf(message.senderId), message.content));
        }
      }),
    [chat, conversationId],
  );
  return (
    <p className="hidden" aria-live="polite">
      {text}
    </p>
  );
}
