import type { ChatClient } from './chat-client.ts';
import type { Message } from './shapes.ts';

/** What a client told about its messages and its state, in order. */
export function follow(client: ChatClient) {
  const messages: Message[] = [];
  const states: string[] = [client.state.name];
  const errors: string[] = [];
  client.on('message', (message) => messages.push(message));
  client.on('state', ({ name }) => states.push(name));
  client.on('error', ({ code }) => errors.push(code));
  return {
    states,
    errors,
    messages,
    seqs: (conversationId: string) =>
      messages.filter((m) => m.conversationId === conversationId).map(({ seq }) => seq),
    texts: () => messages.map(({ content }) => content),
  };
}
