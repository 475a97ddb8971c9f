import { waitFor } from '@bambochat/testing';
import { WebSocket } from 'ws';
import { startStack } from '../src/stack-target.ts';
import type { Fault, FaultContext, System } from './fault.ts';
import { elapsed, metric, stackOf } from './fault-steps.ts';
import { stackSystem } from './systems.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const BAD_NETWORK_LASTS = 30_000;
const JITTER = 500;
const LOSS = 0.2;
/** Milliseconds until TCP sends a lost packet again; doubles with each loss in a row. */
const RETRANSMISSION = 200;
/** What Engine.IO says by default: a ping every 25 s, which has 20 s. */
const PING_PERIOD = 45_000;

let network: TcpProxy | null = null;

/** Clients reach the edge of the stack through a proxy. */
async function startProxiedSystem(): Promise<System> {
  const stack = await startStack({ restart: true });
  try {
    const edge = new URL(stack.restUrl);
    const proxy = await startTcpProxy({ host: edge.hostname, port: Number(edge.port) });
    network = proxy;
    const system = stackSystem(stack);
    return {
      ...system,
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]();
        await system[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function proxyOf(): TcpProxy {
  if (network === null) {
    throw new Error('the clients are not behind the proxy');
  }
  return network;
}

const proxied = { start: startProxiedSystem };
const throughProxy = { urlOf: () => `http://127.0.0.1:${proxyOf().port}` };

async function ofGateways(context: FaultContext, name: string): Promise<number> {
  const counts = await Promise.all(stackOf(context).gateways.map(({ url }) => metric(url, name)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** How late TCP delivers over a network that loses packets: it sends again, later each time. */
function badNetwork(): number {
  let delay = Math.random() * JITTER;
  for (let wait = RETRANSMISSION; Math.random() < LOSS; wait *= 2) {
    delay += wait;
  }
  return delay;
}

const lossAndJitter: Fault = {
  id: 13,
  name: '20 % loss and 500 ms jitter between client and gateway',
  system: proxied,
  load: throughProxy,
  async run({ load, evidence, healed }) {
    const proxy = proxyOf();
    const before = load.confirmed;
    proxy.delayOf = badNetwork;
    try {
      await elapsed(BAD_NETWORK_LASTS);
    } finally {
      proxy.delayOf = () => 0;
    }
    healed();
    evidence(
      `${proxy.delayed} pieces of streams were late as TCP makes them over such a network; ${load.confirmed - before} messages were confirmed meanwhile`,
    );
  },
};

const halfOpen: Fault = {
  id: 14,
  name: 'half-open clients',
  system: proxied,
  load: throughProxy,
  async run(context) {
    const { load, evidence } = context;
    const before = load.clients.map(({ losses }) => losses);
    const disconnects = await ofGateways(context, 'bambochat_disconnects_total');
    proxyOf().silence();
    const began = performance.now();
    await waitFor(() => load.clients.every(({ losses }, index) => losses > (before[index] ?? 0)), {
      describe: 'every client to notice',
      timeout: PING_PERIOD + 15_000,
      interval: 50,
    });
    const clients = ((performance.now() - began) / 1000).toFixed(0);
    context.healed();
    await waitFor(
      async () =>
        (await ofGateways(context, 'bambochat_disconnects_total')) >=
        disconnects + load.clients.length,
      {
        describe: 'the gateways to notice all of them',
        timeout: PING_PERIOD + 15_000,
        interval: 250,
      },
    );
    const gateways = ((performance.now() - began) / 1000).toFixed(0);
    evidence(
      `nothing passed on ${load.clients.length} open connections: noticed by the last client after ${clients} s, by the gateways after ${gateways} s`,
    );
  },
};

const slowReader: Fault = {
  id: 15,
  name: 'a slow reader in a busy room',
  system: 'stack',
  everySendCounts: true,
  load: { textLength: 3800, rate: 20 },
  async run(context) {
    const { load, evidence } = context;
    const before = load.clients.map(({ losses }) => losses);
    const cutBefore = await ofGateways(context, 'bambochat_slow_readers_cut_total');
    const reader = load.people.at(-1);
    const gateway = stackOf(context).gateways[0]?.url ?? '';
    const socket = new WebSocket(
      `${gateway.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
    );
    try {
      socket.on('error', () => {});
      socket.once('open', () => socket.send(`40${JSON.stringify({ token: reader?.accessToken })}`));
      let welcome = false;
      socket.on('message', (data) => {
        welcome ||= String(data).startsWith('40');
      });
      await waitFor(() => welcome, { describe: 'the reader to be connected', timeout: 10_000 });
      socket.pause();
      let most = 0;
      await waitFor(
        async () => {
          most = Math.max(most, await ofGateways(context, 'bambochat_send_buffer_bytes'));
          return (await ofGateways(context, 'bambochat_slow_readers_cut_total')) > cutBefore;
        },
        { describe: 'the slow reader to be cut off', timeout: 120_000, interval: 250 },
      );
      context.healed();
      const disturbed = load.clients.filter(({ losses }, index) => losses > (before[index] ?? 0));
      if (disturbed.length > 0) {
        throw new Error(`${disturbed.length} others lost their connection`);
      }
      evidence(
        `it was cut off; at most ${(most / 1024).toFixed(0)} KiB were seen to wait for it, and no other client lost its connection`,
      );
    } finally {
      socket.terminate();
    }
  },
};

export const clientNetworkFaults: readonly Fault[] = [lossAndJitter, halfOpen, slowReader];
