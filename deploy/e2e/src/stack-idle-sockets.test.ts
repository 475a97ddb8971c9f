import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startBackends } from '@bambochat/testing';
import { expect, test } from 'vitest';

const FEW = 50;
const MANY = 1000;
/** A second; far below what {@link MANY} would cost if each of them cost anything. */
const UNREST = 50;

const program = fileURLToPath(new URL('measure-idle-sockets.ts', import.meta.url));
const run = promisify(execFile);

interface Measurement {
  readonly sockets: number;
  readonly redisCommands: number;
  readonly natsMessages: number;
}

test('Redis commands and NATS messages a second do not grow with idle sockets', async ({
  annotate,
}) => {
  // Of its own: others would be counted too.
  await using backends = await startBackends({ own: true });
  const { stdout } = await run(
    process.execPath,
    ['--no-warnings', program, '--sockets', `${FEW},${MANY}`, '--seconds', '10', '--json'],
    {
      env: {
        ...process.env,
        MONGODB_URL: backends.mongodb.url,
        REDIS_URL: backends.redis.url,
        NATS_URL: backends.nats.url,
      },
    },
  );
  const { measurements } = JSON.parse(stdout) as { measurements: Measurement[] };
  const [few, many] = measurements;
  expect([few?.sockets, many?.sockets]).toEqual([FEW, MANY]);
  for (const rate of ['redisCommands', 'natsMessages'] as const) {
    const [before = 0, after = Number.POSITIVE_INFINITY] = [few?.[rate], many?.[rate]];
    expect(before).toBeGreaterThan(0);
    expect(after).toBeLessThan(before + UNREST);
    await annotate(`${rate} a second: ${before.toFixed(1)}, then ${after.toFixed(1)}`);
  }
}, 300_000);
