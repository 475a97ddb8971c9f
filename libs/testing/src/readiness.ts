import { connect } from 'node:net';
import type { BackendName } from './backend.ts';

const answerTime = 2_000;

/**
 * One attempt to talk to a server in its own protocol.
 *
 * @throws Error when it does not answer as a server that is ready for work does within 2 s.
 */
export async function probeReady(name: BackendName, url: string): Promise<true> {
  switch (name) {
    case 'redis':
      return probeRedis(url);
    case 'nats':
      return probeNats(url);
    case 'mongodb':
      return probeMongodb(url);
  }
}

function probeRedis(url: string): Promise<true> {
  // An answer that asks for a password still proves that Redis is up; the credentials in the URL
  // are for the client to use. A server that is still loading its data says -LOADING.
  return exchange(url, 6379, 'PING\r\n', (answer) => /^(\+PONG|-NOAUTH)/.test(answer));
}

function probeNats(url: string): Promise<true> {
  return exchange(url, 4222, '', (answer) => {
    const end = answer.indexOf('\r\n');
    if (end < 0) {
      return false;
    }
    if (!/^INFO .*"jetstream":\s*true/.test(answer)) {
      throw new Error('the NATS server answers, but JetStream is not enabled on it');
    }
    return true;
  });
}

async function probeMongodb(url: string): Promise<true> {
  // Loaded only when wanted: tests that need no MongoDB start faster without the driver.
  const { MongoClient } = await import('mongodb');
  const client = new MongoClient(url, {
    serverSelectionTimeoutMS: answerTime,
    connectTimeoutMS: answerTime,
    socketTimeoutMS: answerTime,
  });
  try {
    const hello = await client.db('admin').command({ hello: 1 });
    if (hello.isWritablePrimary !== true) {
      throw new Error('the MongoDB server answers, but it does not accept writes yet');
    }
    return true;
  } finally {
    await client.close();
  }
}

function exchange(
  url: string,
  defaultPort: number,
  request: string,
  isReady: (answer: string) => boolean,
): Promise<true> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host: hostname, port: Number(port) || defaultPort });
    const finish = (error?: Error) => {
      socket.destroy();
      if (error) {
        reject(error);
      } else {
        resolve(true);
      }
    };
    socket.setEncoding('utf8');
    socket.setTimeout(answerTime, () => finish(new Error(`no answer within ${answerTime} ms`)));
    socket.on('error', finish);
    socket.on('end', () => finish(new Error('the connection was closed before an answer')));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (text: string) => {
      answer = (answer + text).slice(0, 64 * 1024);
      try {
        if (isReady(answer)) {
          finish();
        }
      } catch (error) {
        finish(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
