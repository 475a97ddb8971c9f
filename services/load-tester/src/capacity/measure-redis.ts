/* `node src/capacity/measure-redis.ts redis://127.0.0.1:6379`: what a sharded publish costs Redis. */
import { Redis } from 'ioredis';

/** Bytes: a message with 100 characters, as the room emitter sends it. */
const PAYLOAD = 'x'.repeat(600);
const PUBLISHES = 20_000;
/** As many in flight as gateways and message-services have at once. */
const AT_ONCE = 20;
const CHANNEL = 'measured';

const [url = 'redis://127.0.0.1:6379'] = process.argv.slice(2);
const publisher = new Redis(url);

/** Seconds of CPU time that Redis has used. */
async function cpu(): Promise<number> {
  const info = await publisher.info('cpu');
  const of = (name: string) => Number(new RegExp(`used_cpu_${name}:([0-9.]+)`).exec(info)?.[1]);
  return of('sys') + of('user');
}

/** µs of one publish to so many subscribers. */
async function measure(subscribers: number): Promise<number> {
  const all = Array.from({ length: subscribers }, () => new Redis(url));
  await Promise.all(all.map((subscriber) => subscriber.ssubscribe(CHANNEL)));
  const before = await cpu();
  for (let sent = 0; sent < PUBLISHES; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => publisher.spublish(CHANNEL, PAYLOAD)));
  }
  const used = (await cpu()) - before;
  for (const subscriber of all) {
    subscriber.disconnect();
  }
  return (used / PUBLISHES) * 1e6;
}

const [none, ten] = [await measure(0), await measure(10)];
publisher.disconnect();
process.stdout.write(
  `a publish ${none.toFixed(1)} µs, each copy ${((ten - none) / 10).toFixed(1)} µs\n`,
);
