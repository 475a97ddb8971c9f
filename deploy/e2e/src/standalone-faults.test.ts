import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { befriendAll, statusSeenBy } from './befriend.ts';
import { describeLogs } from './logs.conformance.ts';
import { awaitLoad, expectNothingLost } from './nothing-lost.ts';
import {
  createDirect,
  createGroup,
  newPeople,
  online,
  type Person,
  privateText,
} from './person.ts';
import { expectTransitions, hearTransitions, showsOnline, watch } from './presence-heard.ts';
import type { Program } from './program.ts';
import type { ProgramOutput } from './program-output.ts';
import { raisedLimits } from './raised-limits.ts';
import { RetryingSender } from './retrying-sender.ts';
import { standaloneAddresses, startStandaloneProgram } from './standalone-target.ts';
import type { Target } from './target.ts';

const KILLS = 3;
/** Short, so that cases need not wait long. */
const presence = { lease: 6000, grace: 1000 };

describe('standalone under faults', () => {
  let dataDir: string;
  let port: number;
  let program: Program;
  let target: Target;
  let ada: Person;
  let ben: Person;
  const outputs: ProgramOutput[] = [];

  /** On the same port and data as before, with a secret that it has made itself. */
  async function start(): Promise<void> {
    program = await startStandaloneProgram({
      dataDir,
      port,
      env: {
        ...raisedLimits,
        PRESENCE_LEASE: String(presence.lease),
        PRESENCE_GRACE: String(presence.grace),
      },
    });
    outputs.push(program.output);
    target = {
      ...standaloneAddresses(String(program.ready.url)),
      tokenSecret: null,
      presence,
      outputs,
      async [Symbol.asyncDispose]() {},
    };
  }

  async function kill(): Promise<void> {
    program.signal('SIGKILL');
    expect(await program.exited).toEqual({ code: null, signal: 'SIGKILL' });
  }

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'bambochat-e2e-'));
    port = await freePort();
    await start();
    [ada, ben] = (await newPeople(target, 'crash', 2)) as [Person, Person];
  });
  afterAll(async () => {
    await program.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('its secret is readable by its owner alone', async () => {
    const names = (await readdir(dataDir)).filter((name) => /secret|key/i.test(name));
    expect(names).not.toEqual([]);
    for (const name of names) {
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    }
  });

  test('kill -9 under load, again and again, loses and doubles nothing', async () => {
    const { _id } = await createGroup(ada, [ben]);
    const senders = [ada, ben, ada].map(
      (person) => new RetryingSender(person, _id, target.gatewayUrls),
    );
    try {
      for (const sender of senders) {
        sender.start(5);
      }
      for (let round = 0; round < KILLS; round += 1) {
        await awaitLoad(senders, 20);
        await kill();
        await start();
      }
      await awaitLoad(senders, 20);
    } finally {
      await Promise.all(senders.map((sender) => sender.finish()));
      for (const sender of senders) {
        sender[Symbol.dispose]();
      }
    }
    expect(senders.reduce((sum, { retries }) => sum + retries, 0)).toBeGreaterThan(0);
    await expectNothingLost(ben, _id, senders);
  }, 120_000);

  test('accounts, tokens, conversations and messages outlive kill -9', async () => {
    const { _id } = await createDirect(ada, ben);
    const clientMessageId = 'the-one';
    let message: unknown;
    {
      using atAda = await online(target, ada);
      message = await atAda.say(_id, privateText('remember this'), clientMessageId);
    }
    const before = await ada.rest('GET', '/api/conversations');
    await kill();
    await start();
    expect((await ada.rest('GET', '/api/conversations')).body).toStrictEqual(before.body);
    expect(await ben.history(_id)).toStrictEqual([message]);
    using atAda = await online(target, ada);
    // Safe to retry, for ever.
    expect(
      await atAda.ask('send_message', {
        conversationId: _id,
        content: privateText('something else'),
        clientMessageId,
      }),
    ).toStrictEqual({ success: true, message });
    expect((await atAda.say(_id, privateText('next'))).seq).toBe(2);
    const refreshed = await ada.rest('POST', '/api/auth/refresh', {
      json: { refreshToken: ada.refreshToken },
    });
    expect(refreshed.status).toBe(200);
  });

  test('a client that connects by itself is back after a restart, in its rooms', async () => {
    const { _id } = await createGroup(ada, [ben], 'back again');
    using atAda = await online(target, ada);
    atAda.socket.io.reconnection(true);
    atAda.socket.io.reconnectionDelay(50);
    const reconnected = new Promise<void>((resolve) =>
      atAda.socket.once('connect', () => resolve()),
    );
    await kill();
    await start();
    await reconnected;
    using atBen = await online(target, ben);
    await atAda.hears(await atBen.say(_id, privateText('welcome back')));
  });

  test('SIGTERM ends it in order: what was confirmed is there, and the status is 0', async () => {
    const { _id } = await createGroup(ada, [ben], 'orderly');
    using atAda = await online(target, ada);
    const contents = Array.from({ length: 50 }, (_, index) => privateText(`last words ${index}`));
    for (const content of contents) {
      atAda.emit('send_message', { conversationId: _id, content });
    }
    await atAda.settles();
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    await start();
    // Accepted means that it will be stored: all of it, not only what was confirmed in time.
    const history = await ben.history(_id);
    expect(history.map(({ content }) => content)).toEqual(contents);
  });

  test.for(['SIGTERM', 'SIGKILL'] as const)(
    'what friends know of each other outlives %s',
    { timeout: 120_000 },
    async (signal) => {
      const people = (await newPeople(target, 'seen', 4)) as [Person, Person, Person, Person];
      const [watcher, gone, staying, leaving] = people;
      await befriendAll(watcher, [gone, staying, leaving]);
      using watching = await watch(target, watcher);
      {
        using atGone = await online(target, gone);
        await hearTransitions([watching], gone, [true]);
        atGone.close();
      }
      const goneSeen = await hearTransitions([watching], gone, [true, false]);
      using atStaying = await online(target, staying);
      using atLeaving = await online(target, leaving);
      await hearTransitions([watching], staying, [true]);
      await hearTransitions([watching], leaving, [true]);
      for (const { socket } of [watching, atStaying]) {
        socket.io.reconnection(true);
      }

      const endedAt = Date.now();
      program.signal(signal);
      await program.exited;
      await start();
      expect(await statusSeenBy(watcher, gone)).toStrictEqual(goneSeen);
      await waitFor(() => [watching, atStaying].every(({ socket }) => socket.connected), {
        describe: 'those who stay to be back',
        timeout: 20_000,
      });
      const left = await waitFor(
        async () => {
          const status = await statusSeenBy(watcher, leaving);
          return status?.online === false && status;
        },
        { describe: 'who did not come back to be offline', timeout: 60_000, interval: 100 },
      );
      const { lastSeenAt } = left || goneSeen;
      expect(Date.parse(lastSeenAt)).toBeGreaterThan(endedAt - presence.lease - 1000);
      expect(Date.parse(lastSeenAt)).toBeLessThan(endedAt + 2000);
      await showsOnline(watching, [staying]);

      // Who comes last marks the end: nobody else came or went, and nobody twice.
      using _back = await online(target, gone);
      const came = await hearTransitions([watching], gone, [true, false, true]);
      expect(came.lastSeenAt).toBe(goneSeen.lastSeenAt);
      expectTransitions([watching], staying, [true]);
      expectTransitions([watching], leaving, [true, false]);
      expect(await statusSeenBy(watcher, leaving)).toStrictEqual(left);
      expect(atLeaving.losses).toHaveLength(1);
    },
  );

  test('refuses to start with a short secret, which it does not print', async () => {
    const secret = randomBytes(12).toString('hex');
    const output = await startStandaloneProgram({
      dataDir: join(dataDir, 'other'),
      port: await freePort(),
      env: { JWT_SECRET: secret },
    }).then(
      () => 'it started',
      (error: unknown) => String(error),
    );
    expect(output).toContain('JWT_SECRET');
    expect(output).not.toContain(secret);
  });

  describeLogs(() => target);
});
