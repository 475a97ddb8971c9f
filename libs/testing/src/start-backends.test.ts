import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import { connect } from 'nats';
import { describe, expect, test } from 'vitest';
import type { Backend, BackendName } from './backend.ts';
import { backendNames } from './backend.ts';
import { freePort } from './free-port.ts';
import { hasStopped } from './has-stopped.ts';
import { probeReady } from './readiness.ts';
import { startBackends } from './start-backends.ts';
import { waitFor } from './wait-for.ts';

interface Client extends AsyncDisposable {
  /** Writes a value and resolves when the server has confirmed it. */
  write(value: string): Promise<void>;
  /** What is stored, oldest first. */
  read(): Promise<string[]>;
}

async function redisClient(url: string): Promise<Client> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  // Without a listener ioredis prints each refused connection.
  redis.on('error', () => {});
  return {
    write: async (value) => {
      await redis.rpush('values', value);
    },
    read: () => redis.lrange('values', 0, -1),
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  };
}

async function natsClient(url: string): Promise<Client> {
  const connection = await connect({
    servers: url,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
  });
  const manager = await connection.jetstreamManager();
  const stream = { name: 'VALUES', subjects: ['values'] };
  await manager.streams.add(stream).catch(() => manager.streams.info(stream.name));
  return {
    write: async (value) => {
      await connection.jetstream().publish('values', new TextEncoder().encode(value));
    },
    read: async () => {
      const { state } = await manager.streams.info(stream.name);
      const values: string[] = [];
      for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
        const message = await manager.streams.getMessage(stream.name, { seq });
        values.push(new TextDecoder().decode(message.data));
      }
      return values;
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function mongodbClient(url: string): Promise<Client> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 20_000 });
  const values = client.db('testing').collection<{ _id: string; at: number }>('values');
  return {
    write: async (value) => {
      const writeConcern = { w: 'majority', journal: true } as const;
      await values.insertOne({ _id: value, at: performance.now() }, { writeConcern });
    },
    read: async () => (await values.find().sort({ at: 1 }).toArray()).map((one) => one._id),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

const clients: Readonly<Record<BackendName, (url: string) => Promise<Client>>> = {
  redis: redisClient,
  nats: natsClient,
  mongodb: mongodbClient,
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.each(backendNames)('a %s of our own', (name) => {
  // Redis holds only what can be rebuilt, so it is started without persistence.
  const keepsData = name !== 'redis';

  test('answers a real client, survives kill and restart on its port', async () => {
    await using backends = await startBackends({ names: [name], own: true });
    const backend: Backend = backends[name];
    await using client = await clients[name](backend.url);
    await client.write('first');
    const { pid, url } = backend;

    await backend.kill();
    expect(backend.pid).toBeNull();
    await backend.restart();

    expect(backend.url).toBe(url);
    if (pid !== null) {
      expect(isAlive(pid)).toBe(false);
      expect(backend.pid).not.toBe(pid);
    }
    // The same client, without being told, finds the server again.
    await waitFor(() => client.write('second').then(() => true), {
      timeout: 20_000,
      describe: 'the client to reconnect',
    });
    expect(await client.read()).toEqual(keepsData ? ['first', 'second'] : ['second']);
  });

  test('hangs while paused and goes on afterwards', async () => {
    await using backends = await startBackends({ names: [name], own: true });
    const backend: Backend = backends[name];
    await using client = await clients[name](backend.url);
    await client.write('before');

    await backend.pause();
    if (backend.pid !== null) {
      expect(await hasStopped(backend.pid)).toBe(true);
    }
    let answered = false;
    const write = client.write('during').then(() => {
      answered = true;
    });
    // A new connection gets no answer for 2 s either, and by then the first has none.
    await expect(probeReady(name, backend.url)).rejects.toThrow();
    expect(answered).toBe(false);
    await backend.resume();
    await write;
    if (backend.pid !== null) {
      expect(await hasStopped(backend.pid)).toBe(false);
    }
    expect(await client.read()).toEqual(['before', 'during']);
  });

  test('keeps its data in the folder that the caller chose', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'bambochat-test-'));
    try {
      const options = { names: [name], own: true, dataDir } as const;
      {
        await using backends = await startBackends(options);
        await using client = await clients[name](backends[name].url);
        await client.write('kept');
      }
      expect(existsSync(join(dataDir, name))).toBe(true);
      await using backends = await startBackends(options);
      await using client = await clients[name](backends[name].url);
      expect(await client.read()).toEqual(keepsData ? ['kept'] : []);
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});

test('a server given by its URL is used as it is, and is not ours to kill', async () => {
  await using owner = await startBackends({ names: ['redis'], own: true });
  const env = { ...process.env, REDIS_URL: owner.redis.url };
  const lines: string[] = [];
  const user = await startBackends({ names: ['redis'], env, announce: (line) => lines.push(line) });
  expect(user.redis.url).toBe(owner.redis.url);
  expect(user.redis.pid).toBeNull();
  expect(lines).toEqual(['redis: the server that REDIS_URL names']);
  await expect(user.redis.kill()).rejects.toThrow('not ours to kill');
  await expect(user.redis.restart()).rejects.toThrow('not ours');
  await expect(user.redis.pause()).rejects.toThrow('not ours');
  await user.stop();

  // Stopping it as a user has left it running.
  await using client = await redisClient(owner.redis.url);
  await client.write('still there');
  expect(await client.read()).toEqual(['still there']);

  await using own = await startBackends({ names: ['redis'], env, own: true });
  expect(own.redis.url).not.toBe(owner.redis.url);
});

test('a given URL where nothing answers is an error, not another choice', async () => {
  const env = { ...process.env, NATS_URL: `nats://127.0.0.1:${await freePort()}` };
  const starting = startBackends({ names: ['nats'], env });
  await expect(starting).rejects.toThrow('the nats server that NATS_URL names');
});

test('stop can be called twice and takes the temporary data along', async () => {
  const backends = await startBackends({ names: ['nats'], own: true });
  const { pid } = backends.nats;
  await backends.stop();
  await backends.stop();
  expect(backends.nats.pid).toBeNull();
  if (pid !== null) {
    expect(isAlive(pid)).toBe(false);
  }
});
