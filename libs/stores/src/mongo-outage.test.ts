import { type Backend, type Backends, freePort, startBackends, waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type MongoStores, openMongoStores } from './mongo.ts';
import {
  newConversationId,
  newUserId,
  sampleAccount,
  sampleProposal,
  sampleRun,
  sampleStatus,
} from './sample-records.fixture.ts';

describe('a server that goes away', () => {
  let backends: Backends<'mongodb'>;
  let server: Backend;
  let stores: MongoStores;

  beforeAll(async () => {
    backends = await startBackends({ names: ['mongodb'], own: true });
    server = backends.mongodb;
    stores = await openMongoStores({ url: server.url });
  });
  afterAll(async () => {
    await stores?.close();
    await backends?.stop();
  });

  test('gives UNAVAILABLE while it is killed, loses nothing confirmed, and is used again', async () => {
    const { messageStore, directoryStore, friendStore, statusStore } = stores;
    const id = newConversationId();
    const run = sampleRun(id, 1, 6);
    await messageStore.insert(run.slice(0, 3));
    const { connections, ...trouble } = stores.figures();
    expect(connections).toBeGreaterThan(0);
    expect(trouble).toEqual({
      inUse: 0,
      checkoutFailures: 0,
      poolsCleared: 0,
      heartbeatFailures: 0,
    });
    await server.kill();
    const unavailable = { code: 'UNAVAILABLE' };
    const attempts = [
      messageStore.insert(run.slice(3)),
      messageStore.advanceHeads(run.slice(0, 1)),
      messageStore.page(id, { limit: 5 }),
      messageStore.lastOf([id]),
      messageStore.check(),
      directoryStore.createAccount(sampleAccount()),
      directoryStore.conversation(id),
      directoryStore.check(),
      friendStore.request(sampleProposal(newUserId(), newUserId())),
      friendStore.friendsOf([newUserId()]),
      statusStore.record([sampleStatus()]),
      statusStore.onlineUsers(null, 5),
      statusStore.recordAlive(new Date().toISOString()),
    ];
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    await waitFor(() => stores.figures().heartbeatFailures > 0);
    expect(stores.figures().poolsCleared).toBeGreaterThan(0);
    await server.restart();
    // The caller's way out of an unknown outcome: repeat, and know one's own messages.
    await waitFor(() => messageStore.insert(run.slice(3)).then(() => true), {
      timeout: 20_000,
      describe: 'the store to work again',
    });
    expect(await messageStore.page(id, { after: 0, limit: 10 })).toEqual(run);
    expect(stores.figures().connections).toBeGreaterThan(0);
    expect(stores.figures().inUse).toBe(0);
    await expect(messageStore.check()).resolves.toBeUndefined();
  }, 60_000);

  test('makes check reject while it hangs', async () => {
    await server.pause();
    try {
      // The signal may need a moment to stop the process.
      const refusal = await waitFor(() =>
        stores.messageStore.check().then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      expect(refusal).toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      await server.resume();
    }
    await waitFor(() => stores.messageStore.check().then(() => true), { timeout: 20_000 });
  }, 60_000);
});

describe('a server that cannot be used', () => {
  test('is named in the error at the start, and the credentials are not', async () => {
    const port = await freePort();
    const url = `mongodb://anna:s3cret@127.0.0.1:${port}/chat?authSource=admin`;
    const error: unknown = await openMongoStores({ url, connectTimeout: 100 }).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).toContain(`mongodb://127.0.0.1:${port}/chat cannot be reached`);
    expect(String(error)).not.toMatch(/anna|s3cret/);
  });

  test.each([
    'http://anna:s3cret@127.0.0.1/',
    'mongodb://anna:s3/c@ret@127.0.0.1/',
    'mongodb://anna:s3cret@127.0.0.1/?unknown=s3cret',
    'anna:s3cret',
  ])('because its URL is not valid is refused at once', async (url) => {
    const error: unknown = await openMongoStores({ url }).catch((reason: unknown) => reason);
    expect(String(error)).toContain('The MongoDB URL is not valid');
    expect(String(error)).not.toMatch(/anna|s3|ret@/);
  });
});

test('what is called after close rejects with UNAVAILABLE', async () => {
  await using backends = await startBackends({ names: ['mongodb'] });
  const { messageStore, directoryStore, close } = await openMongoStores({
    url: backends.mongodb.url,
    database: 'bambochat-test-close',
  });
  await messageStore.close();
  await expect(directoryStore.check()).resolves.toBeUndefined();
  await close();
  for (const call of [
    messageStore.check(),
    directoryStore.check(),
    messageStore.lastOf([newConversationId()]),
  ]) {
    await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  }
});
