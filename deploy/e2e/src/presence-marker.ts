import { befriendAll } from './befriend.ts';
import type { ChatConnection } from './chat-connection.ts';
import { newPerson, online, type Person } from './person.ts';
import { hearTransitions, transitionsHeard } from './presence-heard.ts';
import type { Target } from './target.ts';

/**
 * A friend of all listeners, who comes and goes to mark a moment: when all of them have heard it,
 * what was to be told before has been heard too.
 */
export interface PresenceMarker extends Disposable {
  /** Comes online, and is heard. */
  comes(listeners: readonly ChatConnection[]): Promise<void>;
  /** Goes, and is heard when the grace time is over: as it is then for whoever left before. */
  goes(listeners: readonly ChatConnection[]): Promise<void>;
}

/** @param friends whose connections will listen. Themselves they must not wait for this marker */
export async function bringMarker(
  target: Target,
  friends: readonly Person[],
  gateway = 1,
): Promise<PresenceMarker> {
  const person = await newPerson(target, 'marker');
  await befriendAll(person, friends);
  let connection: ChatConnection | null = null;

  /** Listeners may have come at different times, and have heard the marker more or less often. */
  async function heardAfter(
    act: () => void | Promise<void>,
    listeners: readonly ChatConnection[],
    isOnline: boolean,
  ): Promise<void> {
    const before = listeners.map((listener) => transitionsHeard(listener, person));
    await act();
    await Promise.all(
      listeners.map((listener, index) =>
        hearTransitions([listener], person, [...(before[index] ?? []), isOnline]),
      ),
    );
  }

  return {
    comes: (listeners) =>
      heardAfter(
        async () => {
          connection = await online(target, person, gateway);
        },
        listeners,
        true,
      ),
    goes: (listeners) => heardAfter(() => connection?.close(), listeners, false),
    [Symbol.dispose]() {
      connection?.close();
    },
  };
}
