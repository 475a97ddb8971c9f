import { createMemoryEventBus } from '@bambochat/messaging/memory';
import { subjects } from '@bambochat/protocol';
import { waitFor } from '@bambochat/testing';
import { expect, test } from 'vitest';
import { heard, startGateway } from './gateway-fixture.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;

const connect = (gateway: Gateway, sessionId: string) =>
  gateway.connect('alice', { auth: { token: gateway.token('alice', 60_000, sessionId) } });

test('when a session ends so do its sockets, with a reason; others of the user stay', async () => {
  await using gateway = await startGateway();
  const [one, two, other] = [
    await connect(gateway, 'over'),
    await connect(gateway, 'over'),
    await connect(gateway, 'live'),
  ];
  const errors = [heard(one, 'chat_error'), heard(two, 'chat_error'), heard(other, 'chat_error')];
  const reasons: string[] = [];
  for (const client of [one, two]) {
    client.on('disconnect', (reason) => reasons.push(reason));
  }
  gateway.bus.publish(subjects.sessionEnded, { userId: 'alice', sessionId: 'over' });
  await waitFor(() => reasons.length === 2);
  // By the server: a stock client does not come back with a token that is good no more.
  expect(reasons).toEqual(['io server disconnect', 'io server disconnect']);
  const error = expect.objectContaining({ event: 'connection', code: 'AUTH_INVALID' });
  expect(errors).toEqual([[error], [error], []]);
  await other.emitWithAck('refresh_token', { token: gateway.token('alice', 60_000, 'live') });
  expect(other.connected).toBe(true);
});

test('a token of a session that has ended opens no connection and renews none', async () => {
  await using gateway = await startGateway();
  const client = await connect(gateway, 'live');
  gateway.ended.add('over');
  const token = gateway.token('alice', 60_000, 'over');
  const refusal = await gateway.refusalOf({ auth: { token } });
  expect(refusal).toMatchObject({
    message: 'Invalid or expired token',
    data: { code: 'AUTH_INVALID' },
  });
  expect(await client.emitWithAck('refresh_token', { token })).toMatchObject({
    success: false,
    error: { code: 'AUTH_INVALID' },
  });
  expect(client.connected).toBe(true);
});

test('a session that ends during the handshake is refused at its end', async () => {
  await using gateway = await startGateway();
  let asked = 0;
  gateway.directory.beforeAnswer = async () => {
    asked += 1;
    if (asked === 1) {
      gateway.ended.add('over');
      gateway.bus.publish(subjects.sessionEnded, { userId: 'alice', sessionId: 'over' });
      await waitFor(() => asked === 1);
    }
  };
  const refusal = await gateway.refusalOf({
    auth: { token: gateway.token('alice', 60_000, 'over') },
  });
  expect(refusal).toMatchObject({ data: { code: 'AUTH_INVALID' } });
});

test('a session that ended while the bus was away is found when it is back', async () => {
  const bus = createMemoryEventBus();
  const reconnects: (() => void)[] = [];
  await using gateway = await startGateway(
    {},
    {
      bus: {
        ...bus,
        onReconnect(listener) {
          reconnects.push(listener);
          return { unsubscribe() {} };
        },
      },
    },
    bus,
  );
  const [over, live] = [await connect(gateway, 'over'), await connect(gateway, 'live')];
  gateway.ended.add('over');
  for (const listener of reconnects) {
    listener();
  }
  await waitFor(() => !over.connected);
  expect(live.connected).toBe(true);
});
