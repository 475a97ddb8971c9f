import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@bambochat/testing';
import type { ChatClient } from './chat-client.ts';
import { type ConnectOptions, connectSocket } from './connect-socket.ts';
import { register } from './rest-client.ts';
import { Session } from './session.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** So high that no test meets them by accident, and password hashes that cost little. */
const raisedLimits = {
  CONNECT_RATE: '100000',
  CONNECT_BURST: '1000000',
  MESSAGE_RATE: '100000',
  MESSAGE_BURST: '1000000',
  REQUEST_RATE: '100000',
  REQUEST_BURST: '1000000',
  AUTH_REQUESTS_PER_ADDRESS: '1000000',
  LOGIN_FAILURES_PER_ACCOUNT: '1000000',
  PASSWORD_SCRYPT_COST: '14',
};

/** What `npm start` runs, as a process, with a data folder of its own. */
export interface Standalone extends AsyncDisposable {
  readonly url: string;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
  /** On the same address and the same data. */
  start(): Promise<void>;
}

export async function startStandalone(env: Record<string, string> = {}): Promise<Standalone> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bambochat-client-'));
  const port = await freePort();
  let child: ChildProcess | null = null;

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['deploy/standalone/src/main.ts', '--json'], {
      cwd: repository,
      env: {
        ...process.env,
        ...raisedLimits,
        ...env,
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: dataDir,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child = started;
    const [line] = await Promise.race([
      once(createInterface({ input: started.stdout }), 'line'),
      once(started, 'exit').then(() => ['it ended']),
    ]);
    if (JSON.parse(String(line).startsWith('{') ? line : '{}').ready !== true) {
      throw new Error(`standalone did not start: ${line}`);
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    child = null;
    if (ending !== null && ending.exitCode === null && ending.signalCode === null) {
      const exited = once(ending, 'exit');
      ending.kill(signal);
      await exited;
    }
  }

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    start,
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Somebody with an account and a login session. */
export class Person {
  readonly userId: string;
  readonly password = randomBytes(9).toString('hex');
  readonly session: Session;
  readonly #url: string;

  private constructor(url: string, name: string) {
    this.#url = url;
    this.userId = `${name}-${randomBytes(6).toString('hex')}`;
    this.session = new Session({ url });
  }

  static async create(url: string, name: string): Promise<Person> {
    const person = new Person(url, name);
    const { userId: id, password } = person;
    await register(url, { id, email: `${id}@mail.example`, password });
    await person.session.login(id, password);
    return person;
  }

  /** A client that is not waited for. */
  open(options: ConnectOptions = {}): ChatClient {
    return connectSocket(this.session.token, { url: this.#url, ...options });
  }

  async online(options: ConnectOptions = {}): Promise<ChatClient> {
    const client = this.open(options);
    await live(client);
    return client;
  }
}

export async function live(client: ChatClient): Promise<void> {
  await waitFor(() => client.state.name === 'live', {
    timeout: 20_000,
    describe: 'the client to be live',
  });
}

export async function createGroup(admin: ChatClient, members: Person[]): Promise<string> {
  const { conversation } = await admin.rest.createConversation({
    type: 'group',
    name: 'a group',
    participantIds: members.map(({ userId }) => userId),
  });
  return conversation._id;
}

/** The whole conversation as the server has it, in order. */
export async function historyOf(client: ChatClient, conversationId: string) {
  const messages = [];
  for (let hasMore = true; hasMore; ) {
    const after = messages.length;
    const page = await client.rest.messages({ conversationId, after, limit: 200 });
    messages.push(...page.messages);
    hasMore = page.hasMore;
  }
  return messages;
}
