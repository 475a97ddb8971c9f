import { type ChatClient, connectSocket } from '@bambochat/client';
import type { Person } from '../src/person.ts';
import type { Attempt, LoadClient } from './load-client.ts';

/** The SDK as an application uses it: its outbox tries again, its lists repair themselves. */
export function openSdkClient(options: {
  person: Person;
  url: string;
  restUrl: string;
  conversationIds: readonly string[];
}): LoadClient {
  const { person, url, restUrl } = options;
  const client: ChatClient = connectSocket(person.accessToken, {
    url,
    restUrl,
    transports: ['websocket'],
    keepMessages: 10_000,
  });
  const attempts: Attempt[] = [];
  let losses = 0;
  let wasConnected = false;
  client.on('state', ({ name }) => {
    const connected = name === 'live' || name === 'catching-up';
    losses += Number(wasConnected && !connected);
    wasConnected = connected;
  });
  return {
    name: `sdk ${person.userId}`,
    userId: person.userId,
    attempts,
    get live() {
      return client.state.name === 'live';
    },
    get losses() {
      return losses;
    },
    lastSeq: (conversationId) => client.conversation(conversationId).messages.at(-1)?.seq ?? 0,
    list: (conversationId) => client.conversation(conversationId).messages,
    send(conversationId, content) {
      const entry = client.conversation(conversationId).send(content);
      const attempt: Attempt = {
        conversationId,
        clientMessageId: entry.clientMessageId,
        lane: 'outbox',
        at: Date.now(),
        // Kept until it is confirmed or refused, so it always counts.
        handedOver: true,
        outcome: 'open',
        message: null,
      };
      attempts.push(attempt);
      entry.confirmed.then(
        (message) => {
          attempt.outcome = 'confirmed';
          attempt.message = message;
        },
        () => {
          attempt.outcome = 'refused';
        },
      );
    },
    get settled() {
      return attempts.every(({ outcome }) => outcome !== 'open');
    },
    repair: async () => {},
    close: () => client.close(),
  };
}
