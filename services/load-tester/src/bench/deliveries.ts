import { cpuSeconds } from '../process-figures.ts';
import { conversationOf, messageIn } from './cast.ts';
import type { Crowd } from './crowd.ts';
import { passes } from './pace.ts';

/** Servers whose sockets are all members of some rooms, and what sends into these rooms. */
export interface Audience {
  /** Of receivers in the crowd. */
  readonly group: string;
  readonly pids: readonly number[];
  readonly rooms: number;
  readonly membersPerRoom: number;
  /** Sends one message to the members of a room. */
  send(room: number, seq: number): void;
}

export interface Pattern {
  /** Messages in one turn of the sender. */
  readonly burst: number;
  /** How many of them. */
  readonly bursts: number;
  /** Milliseconds from one to the next; 0: the next begins when the last has arrived. */
  readonly interval: number;
}

/** Microseconds of CPU time for each delivery, from all processes of the audience together. */
export async function costOfDeliveries(
  crowd: Crowd,
  audience: Audience,
  pattern: Pattern,
): Promise<number> {
  const { group, rooms, membersPerRoom } = audience;
  const before = await crowd.received(group);
  const cpuBefore = await cpuSeconds(audience.pids);
  const began = performance.now();
  let sent = 0;
  for (let burst = 0; burst < pattern.bursts; burst += 1) {
    for (let count = 0; count < pattern.burst; count += 1) {
      audience.send(sent % rooms, sent);
      sent += 1;
    }
    if (pattern.interval === 0) {
      await crowd.hasReceived(group, before + sent * membersPerRoom);
    } else {
      await passes(began + (burst + 1) * pattern.interval);
    }
  }
  await crowd.hasReceived(group, before + sent * membersPerRoom);
  const cpu = (await cpuSeconds(audience.pids)) - cpuBefore;
  return (cpu * 1e6) / (sent * membersPerRoom);
}

/** What {@link Audience.send} of servers with rooms does. */
export function sendThrough(emitter: {
  toConversation(
    id: ReturnType<typeof conversationOf>,
    event: 'receive_message',
    payload: never,
  ): void;
}): (room: number, seq: number) => void {
  return (room, seq) => {
    const id = conversationOf(room);
    emitter.toConversation(id, 'receive_message', messageIn(id, seq) as never);
  };
}
