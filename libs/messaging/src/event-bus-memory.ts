import { unavailable } from '@bambochat/protocol';
import { answerRequest, readAnswer } from './answer-request.ts';
import type { EventBus, Subscription } from './event-bus.ts';
import { encodeJson } from './json-payload.ts';
import { assertSubject, subjectMatcher } from './subject.ts';

export interface MemoryEventBusOptions {
  /** Events published and not yet delivered; past it events are dropped. Default 100,000. */
  maxQueued?: number;
  /** Told when a subscriber's handler threw; the bus goes on. */
  onHandlerError?: (error: unknown, subject: string) => void;
}

export interface MemoryEventBus extends EventBus {
  /** Events that were no JSON or came when the queue was full. */
  readonly dropped: number;
}

interface Subscriber {
  readonly matches: (subject: string) => boolean;
  readonly handler: (payload: unknown, subject: string) => void;
  readonly queue: string | undefined;
}

interface Responder {
  readonly matches: (subject: string) => boolean;
  readonly answer: (payload: unknown) => Promise<string>;
  readonly queue: string;
}

/**
 * An event bus inside one process. Every payload passes through JSON, so that nothing is shared by
 * reference and what would not survive the wire does not survive here either.
 */
export function createMemoryEventBus(options: MemoryEventBusOptions = {}): MemoryEventBus {
  const { maxQueued = 100_000, onHandlerError = () => {} } = options;
  const subscribers = new Set<Subscriber>();
  const responders = new Set<Responder>();
  let outbox: { subject: string; json: string }[] = [];
  let dropped = 0;
  const turns = new Map<string, number>();

  function deliverQueued(): void {
    const events = outbox;
    outbox = [];
    for (const { subject, json } of events) {
      for (const subscriber of chooseReceivers(subscribers, subject)) {
        // A handler before it may have ended this one's subscription.
        if (subscribers.has(subscriber)) deliver(subscriber, subject, json);
      }
    }
  }

  function deliver(subscriber: Subscriber, subject: string, json: string): void {
    try {
      subscriber.handler(JSON.parse(json), subject);
    } catch (error) {
      onHandlerError(error, subject);
    }
  }

  /** Everybody who has no queue, and one of each queue, in turn. */
  function chooseReceivers<Member extends Subscriber | Responder>(
    members: Iterable<Member>,
    subject: string,
  ): Member[] {
    const chosen: Member[] = [];
    const queues = new Map<string, Member[]>();
    for (const member of members) {
      if (!member.matches(subject)) continue;
      if (member.queue === undefined) chosen.push(member);
      else queues.set(member.queue, [...(queues.get(member.queue) ?? []), member]);
    }
    for (const [name, queue] of queues) {
      const turn = ((turns.get(name) ?? 0) + 1) % queue.length;
      // Bounded: queues are named by code, never by input.
      turns.set(name, turn);
      chosen.push(queue[turn] as Member);
    }
    return chosen;
  }

  return {
    get dropped() {
      return dropped;
    },

    publish(subject, payload) {
      assertSubject(subject);
      const json = encodeJson(payload);
      if (json === undefined || outbox.length >= maxQueued) {
        dropped += 1;
        return;
      }
      outbox.push({ subject, json });
      if (outbox.length === 1) queueMicrotask(deliverQueued);
    },

    subscribe(subject, handler, { queue } = {}): Subscription {
      const subscriber: Subscriber = { matches: subjectMatcher(subject), handler, queue };
      subscribers.add(subscriber);
      return { unsubscribe: () => subscribers.delete(subscriber) };
    },

    async request(subject, payload, { timeout = 2000 } = {}) {
      assertSubject(subject);
      const json = encodeJson(payload);
      if (json === undefined) throw new TypeError('the payload of a request must be JSON');
      const chosen = chooseReceivers(responders, subject);
      if (chosen.length === 0) throw unavailable('The service');
      return readAnswer(await firstAnswer(chosen, json, timeout));
    },

    respond(subject, handler, { queue, concurrency = 256 }): Subscription {
      const responder: Responder = {
        matches: subjectMatcher(subject),
        answer: answerRequest(handler, concurrency),
        queue,
      };
      responders.add(responder);
      return { unsubscribe: () => responders.delete(responder) };
    },

    async flush() {
      // Events leave in a micro-task that was queued before this one.
      await undefined;
      return true;
    },

    onReconnect: () => ({ unsubscribe: () => {} }),
  };
}

/** Rejects with `UNAVAILABLE` after `timeout`; answers that come later are ignored. */
function firstAnswer(chosen: Responder[], json: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable('The service')), timeout);
    for (const responder of chosen) {
      queueMicrotask(async () => {
        const answer = await responder.answer(JSON.parse(json));
        clearTimeout(timer);
        resolve(answer);
      });
    }
  });
}
