import { type GatewayId, subjects } from '@bambochat/protocol';
import type { RemoteEvent } from '@bambochat/rooms';
import { createMetrics } from '@bambochat/runtime';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { newConversationId, startGateway } from './gateway-fixture.ts';
import { createGatewayMetrics } from './gateway-metrics.ts';
import { observeLiveDelay } from './observe-live-delay.ts';

type Rendering = Pick<ReturnType<typeof createMetrics>, 'render'>;

async function sampleOf(metrics: Rendering, series: string): Promise<number> {
  const { body } = await metrics.render();
  const line = body.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length));
}

test('the hops of a message are measured: handshake, accepting, confirming', async () => {
  await using gateway = await startGateway({ MAX_CONNECTIONS: 321 });
  const value = (series: string) => sampleOf(gateway.metrics, `bambochat_${series}`);
  const client = await gateway.connect('alice');
  expect(await value('handshake_duration_seconds_count')).toBe(1);
  expect(await value('connections_max')).toBe(321);
  await client.emitWithAck('send_message', { conversationId: newConversationId(), content: 'x' });
  expect(await value('accept_duration_seconds_count')).toBe(1);
  expect(await value('confirm_duration_seconds_count')).toBe(1);
  await waitFor(async () => (await value('connections')) === 1);
  client.disconnect();
  await waitFor(async () => (await value('connections')) === 0);
});

test('what is refused is no accepted one', async () => {
  await using gateway = await startGateway({ MESSAGE_RATE: 0.1, MESSAGE_BURST: 1 });
  const value = (series: string) => sampleOf(gateway.metrics, `bambochat_${series}`);
  const client = await gateway.connect('alice');
  const send = () =>
    client.emitWithAck('send_message', { conversationId: newConversationId(), content: 'x' });
  await send();
  await send();
  expect(await value('accept_duration_seconds_count')).toBe(1);
  expect(await value('event_errors_total{event="send_message",code="RATE_LIMITED"}')).toBe(1);
  await gateway.refusalOf({ auth: { token: 'nonsense' } });
  expect(await value('connect_refusals_total{code="AUTH_INVALID"}')).toBe(1);
  expect(await value('handshake_duration_seconds_count')).toBe(1);
});

test('the way back of results is measured where their sender says when it sent them', async () => {
  await using gateway = await startGateway();
  const value = (series: string) => sampleOf(gateway.metrics, `bambochat_${series}`);
  const tell = (sentAt?: number) =>
    gateway.bus.publish(subjects.chatResults('gateway-1' as GatewayId), { sentAt, results: [] });
  tell();
  tell(Date.now() - 3000);
  await waitFor(async () => (await value('result_transit_seconds_count')) === 1);
  expect(await value('result_transit_seconds_sum')).toBeGreaterThanOrEqual(3);
});

test('the age of messages from elsewhere is measured once for each, never below zero', async () => {
  const metrics = createMetrics({ processMetrics: false });
  let listen: (event: RemoteEvent) => void = () => {};
  const observing = observeLiveDelay(
    {
      onRemoteEvent(listener) {
        listen = listener;
        return { unsubscribe() {} };
      },
    },
    createGatewayMetrics(metrics),
  );
  const arrive = (event: string, createdAt: string | undefined) =>
    listen({
      event,
      room: 'conversation:1',
      message: createdAt === undefined ? undefined : { seq: 1, createdAt },
      payload: () => ({}),
    });
  const at = (offset: number) => new Date(Date.now() + offset).toISOString();
  arrive('receive_message', at(-2000));
  arrive('receive_message', at(60_000));
  arrive('receive_message', 'yesterday');
  arrive('typing', undefined);
  expect(await sampleOf(metrics, 'bambochat_live_delay_seconds_count')).toBe(2);
  const sum = await sampleOf(metrics, 'bambochat_live_delay_seconds_sum');
  expect(sum).toBeGreaterThanOrEqual(2);
  expect(sum).toBeLessThan(60);
  observing.unsubscribe();
});
