import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { subjects } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { startService } from './running-service.fixture.ts';

test('what did not reach the gateways is reported to them, once the bus takes it', async () => {
  const bus = createMemoryEventBus();
  const reconnects: (() => void)[] = [];
  const published: unknown[] = [];
  let reachable = false;
  let flushes = 0;
  await using service = await startService({
    bus: {
      ...bus,
      publish(subject, payload) {
        if (subject === subjects.liveEventsLost) {
          published.push(payload);
        }
        bus.publish(subject, payload);
      },
      async flush() {
        flushes += 1;
        return reachable;
      },
      onReconnect(listener) {
        reconnects.push(listener);
        return { unsubscribe() {} };
      },
    },
  });
  const atStart = flushes;
  const report = { reason: 'lost', since: 1 };
  service.loseEmits();
  await waitFor(() => flushes === atStart + 1);
  expect(published).toEqual([report]);

  reachable = true;
  for (const listener of reconnects) {
    listener();
  }
  await waitFor(() => flushes === atStart + 2);
  expect(published).toEqual([report, report]);
  // Nothing waits any more.
  for (const listener of reconnects) {
    listener();
  }
  service.loseEmits();
  await waitFor(() => flushes === atStart + 3);
  expect(published).toEqual([report, report, report]);
});
