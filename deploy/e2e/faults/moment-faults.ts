import { waitFor } from '@bambochat/testing';
import type { Fault, FaultContext } from './fault.ts';
import { type Direction, startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const ROUNDS = 3;

/** Which back end a message-service is about to tell something, and what that looks like. */
interface Moment {
  readonly backend: 'mongodb' | 'redis' | 'nats';
  readonly words: string;
  recognise(bytes: Buffer): boolean;
}

const beforeTheWrite: Moment = {
  backend: 'mongodb',
  words: 'its insert of messages was on the way to MongoDB',
  recognise: (bytes) => bytes.includes('insert\0') && bytes.includes('messages\0'),
};

const beforeTheBroadcast: Moment = {
  backend: 'redis',
  words: 'its messages were stored and the first SPUBLISH was on the way to Redis',
  recognise: (bytes) => bytes.includes('spublish') && bytes.includes('receive_message'),
};

const beforeTheAck: Moment = {
  backend: 'nats',
  words: 'its messages were broadcast and the acknowledgement was on the way to NATS',
  // Signs of life (+WPI) go to the same subject.
  recognise: (bytes) => bytes.includes('$JS.ACK.') && !bytes.includes('+WPI'),
};

/**
 * One more message-service whose connections lead through proxies. At the moment the bytes are kept
 * back and the process is killed, so that what comes after the moment cannot have happened.
 */
async function killAt(moment: Moment, context: FaultContext): Promise<void> {
  const { system } = context;
  if (system.backends === null) {
    throw new Error('this fault needs back ends');
  }
  const proxies: TcpProxy[] = [];
  try {
    const urls: Record<string, string> = {};
    for (const name of ['mongodb', 'redis', 'nats'] as const) {
      const url = new URL(system.backends[name].url);
      const proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port) });
      proxies.push(proxy);
      url.port = String(proxy.port);
      urls[`${name.toUpperCase()}_URL`] = url.href;
      if (name === moment.backend) {
        arm(proxy);
      }
    }
    let pid: number | null = null;
    let reached = false;
    function arm(proxy: TcpProxy): void {
      proxy.holds = (direction: Direction, bytes: Buffer) => {
        if (pid === null || direction !== 'request' || !moment.recognise(bytes)) {
          return reached && direction === 'request';
        }
        if (!reached) {
          reached = true;
          process.kill(pid, 'SIGKILL');
        }
        return true;
      };
    }
    const member = await system.startMember('message-service', urls);
    pid = member.pid;
    await waitFor(() => reached, { describe: 'the moment', timeout: 60_000, interval: 5 });
    context.healed();
    await member.exited;
    // Whoever takes over waits for the acknowledgement first.
    await context.load.flowing(3);
  } finally {
    for (const proxy of proxies) {
      await proxy[Symbol.asyncDispose]();
    }
  }
}

function momentFault(id: number, name: string, moment: Moment): Fault {
  return {
    id,
    name: `kill -9 a message-service ${name}, ${ROUNDS} times`,
    system: 'stack',
    everySendCounts: true,
    async run(context) {
      for (let round = 0; round < ROUNDS; round += 1) {
        await killAt(moment, context);
      }
      context.evidence(`${ROUNDS} times it was killed when ${moment.words}`);
    },
  };
}

export const momentFaults: readonly Fault[] = [
  momentFault(2, 'before the write', beforeTheWrite),
  momentFault(3, 'after the write, before the broadcast', beforeTheBroadcast),
  momentFault(4, 'after the broadcast, before the ack', beforeTheAck),
];
