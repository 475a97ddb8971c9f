import { waitFor } from '@bambochat/testing';
import { io, type Socket } from 'socket.io-client';
import type { Member, MemberKind } from '../src/stack-target.ts';
import type { Fault, FaultContext } from './fault.ts';
import { elapsed, redeliveries, stackOf } from './fault-steps.ts';

/** Milliseconds after which the command log hands on what a worker has not acknowledged. */
const ACK_WAIT = 5000;
const LOOPS = 5;
const RECONNECTING = 400;

const killGateway: Fault = {
  id: 1,
  name: 'kill -9 a gateway mid-send',
  system: 'stack',
  async run(context) {
    const stack = stackOf(context);
    const { clients } = context.load;
    const before = clients.map(({ losses }) => losses);
    // All of them hang on some gateway: the one that dies has clients in the middle of a message.
    for (const victim of stack.gateways) {
      await waitFor(() => clients.some(({ settled }) => !settled), { interval: 1 });
      process.kill(victim.pid, 'SIGKILL');
      context.healed();
      await stack.awaitSuccessor('gateways', victim);
    }
    const lost = clients.filter(({ losses }, index) => losses > (before[index] ?? 0)).length;
    if (lost === 0) {
      throw new Error('no client lost its connection');
    }
    context.evidence(
      `${lost} of ${clients.length} clients lost their gateway, one after the other`,
    );
  },
};

const stallMessageService: Fault = {
  id: 5,
  name: 'SIGSTOP a message-service past ack_wait, then resume',
  system: 'stack',
  everySendCounts: true,
  async run(context) {
    const stack = stackOf(context);
    const [victim, other] = stack.messageServices;
    if (victim === undefined || other === undefined) {
      throw new Error('two message-services are needed');
    }
    const before = await redeliveries(other.url);
    process.kill(victim.pid, 'SIGSTOP');
    try {
      await elapsed(2 * ACK_WAIT);
      await waitFor(async () => (await redeliveries(other.url)) > before, {
        describe: 'what the stalled service held to be given to the other',
        timeout: 30_000,
        interval: 250,
      });
    } finally {
      process.kill(victim.pid, 'SIGCONT');
    }
    context.healed();
    const handedOn = (await redeliveries(other.url)) - before;
    context.evidence(`${handedOn} commands were handed on to the other service`);
  },
};

const rollingRestart: Fault = {
  id: 18,
  name: 'rolling restart of every service under load',
  system: 'stack',
  async run(context) {
    const stack = stackOf(context);
    const kinds: MemberKind[] = [
      'gateways',
      'messageServices',
      'presenceServices',
      'historyServices',
      'directoryServices',
    ];
    let restarted = 0;
    for (const kind of kinds) {
      for (const member of stack.membersOf(kind)) {
        process.kill(member.pid, 'SIGTERM');
        await stack.awaitSuccessor(kind, member);
        await context.load.allLive(60_000);
        restarted += 1;
      }
    }
    context.evidence(`${restarted} processes ended by SIGTERM, one after the other, and came back`);
  },
};

const everyoneReconnects: Fault = {
  id: 19,
  name: `all clients reconnect at once (${RECONNECTING} idle ones beside the load)`,
  system: 'stack',
  async run(context) {
    const stack = stackOf(context);
    const sockets = openIdle(context);
    try {
      const connected = () => sockets.filter((socket) => socket.connected).length;
      await waitFor(() => connected() === RECONNECTING, { timeout: 60_000, interval: 50 });
      let lost = 0;
      for (const socket of sockets) {
        socket.once('disconnect', () => {
          lost += 1;
        });
      }
      const victims: readonly Member[] = stack.gateways;
      for (const { pid } of victims) {
        process.kill(pid, 'SIGKILL');
      }
      await waitFor(() => lost === RECONNECTING, { timeout: 30_000, interval: 10 });
      context.healed();
      const began = performance.now();
      await waitFor(() => connected() === RECONNECTING, { timeout: 90_000, interval: 50 });
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      context.evidence(
        `${lost} idle sockets lost both gateways at once, all back after ${seconds} s`,
      );
      for (const victim of victims) {
        await stack.awaitSuccessor('gateways', victim);
      }
    } finally {
      for (const socket of sockets) {
        socket.disconnect();
      }
    }
  },
};

function openIdle({ system, load }: FaultContext): Socket[] {
  return Array.from({ length: RECONNECTING }, (_, index) =>
    io(system.target.restUrl, {
      transports: ['websocket'],
      forceNew: true,
      // The defaults of the library: what a client does that was told nothing.
      auth: { token: load.people[index % load.people.length]?.accessToken },
    }),
  );
}

const killStandalone: Fault = {
  id: 20,
  name: `kill -9 standalone, ${LOOPS} times`,
  system: 'standalone',
  async run({ system, load, evidence }) {
    const { standalone } = system;
    if (standalone === null) {
      throw new Error('this is not standalone');
    }
    for (let round = 0; round < LOOPS; round += 1) {
      await load.flowing(3);
      await standalone.kill();
      await standalone.restart();
    }
    evidence(
      `${LOOPS} kills; ${load.clients.map(({ losses }) => losses).join(', ')} connections lost`,
    );
  },
};

export const processFaults: readonly Fault[] = [
  killGateway,
  stallMessageService,
  rollingRestart,
  everyoneReconnects,
  killStandalone,
];
