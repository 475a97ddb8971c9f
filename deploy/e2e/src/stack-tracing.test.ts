import {
  type CollectedSpan,
  startTraceCollector,
  type TraceCollector,
  waitFor,
} from '@bambochat/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { createGroup, newPeople, online, type Person } from './person.ts';
import { type StackTarget, startStack } from './stack-target.ts';
import { useTarget } from './target.ts';

describe('stack that is traced', () => {
  let stack: StackTarget;
  let collector: TraceCollector;
  const target = useTarget(async () => {
    collector = await startTraceCollector();
    stack = await startStack({
      gateways: 3,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'debug' },
    });
    return {
      ...stack,
      async [Symbol.asyncDispose]() {
        await stack[Symbol.asyncDispose]();
        await collector[Symbol.asyncDispose]();
      },
    };
  });
  let people: [Person, Person, Person];
  beforeAll(async () => {
    people = (await newPeople(target(), 'traced', 3)) as [Person, Person, Person];
  });

  /** All spans that lead from one to another, that one included. */
  function below(root: CollectedSpan): CollectedSpan[] {
    const children = collector.spans.filter(({ parentSpanId }) => parentSpanId === root.spanId);
    return [root, ...children.flatMap(below)];
  }

  test('one trace leads from the emit through the services to every gateway of the room', async () => {
    const [ada, ben, cem] = people;
    const { _id: conversationId } = await createGroup(ada, [ben, cem]);
    using sender = await online(target(), ada, 0);
    using second = await online(target(), ben, 1);
    using third = await online(target(), cem, 2);
    const message = await sender.say(conversationId, 'where do I go?');
    await Promise.all([second.hears(message), third.hears(message)]);

    const pidOf = (index: number) => stack.gateways[index]?.pid;
    const whole = await waitFor(
      () => {
        const root = collector.spans.find(({ name }) => name === 'send_message');
        const spans = root === undefined ? [] : below(root);
        const delivered = spans.filter(({ name }) => name === 'deliver receive_message');
        return delivered.length === 3 ? spans : undefined;
      },
      { timeout: 20_000, describe: 'a whole trace' },
    );
    const spans = whole as CollectedSpan[];
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(spans.map(({ service, name }) => `${service}: ${name}`).toSorted()).toEqual([
      'message-service: emit receive_message',
      'message-service: handle message',
      'message-service: store messages',
      'socket-gateway: append command',
      'socket-gateway: deliver receive_message',
      'socket-gateway: deliver receive_message',
      'socket-gateway: deliver receive_message',
      'socket-gateway: send_message',
    ]);
    const pids = (name: string) => spans.filter((span) => span.name === name).map(({ pid }) => pid);
    expect(pids('send_message')).toEqual([pidOf(0)]);
    expect(pids('deliver receive_message').toSorted()).toEqual(
      [pidOf(0), pidOf(1), pidOf(2)].toSorted(),
    );

    // Both ends of the way write lines with the id of the trace.
    const traceId = spans[0]?.traceId;
    const { output } = stack.program;
    const lines = ['command handled', 'request answered'].map(
      (msg) => () => output.entries(msg).some((entry) => entry.trace_id === traceId),
    );
    for (const written of lines) {
      await waitFor(written, { describe: 'a log line with the id of the trace' });
    }
    // Clients see nothing of it.
    for (const connection of [sender, second, third]) {
      expect(JSON.stringify(connection.heard)).not.toContain(traceId);
    }
  });

  test('messages that share a command keep their own traces, marks and reactions too', async () => {
    const [ada, ben] = people;
    const { _id: conversationId } = await createGroup(ada, [ben]);
    using sender = await online(target(), ada, 0);
    const before = new Set(collector.spans.map(({ traceId }) => traceId));
    const messages = await Promise.all(
      Array.from({ length: 30 }, (_, index) => sender.say(conversationId, `one of many ${index}`)),
    );
    const messageId = messages[0]?._id;
    await sender.ask('mark_read', { conversationId, messageId });
    await sender.ask('send_reaction', { messageId, reactionType: 'like' });
    const rootsOf = (name: string) =>
      collector.spans.filter((span) => span.name === name && !before.has(span.traceId));
    await waitFor(
      () =>
        rootsOf('send_message').filter((root) =>
          below(root).some(({ name }) => name === 'deliver receive_message'),
        ).length === 30,
      { timeout: 20_000, describe: 'thirty traces' },
    );
    for (const event of ['mark_read', 'send_reaction']) {
      await waitFor(
        () => rootsOf(event).some((root) => below(root).some(({ name }) => /^deliver/.test(name))),
        { timeout: 20_000, describe: `a trace of ${event}` },
      );
    }
  });
});
