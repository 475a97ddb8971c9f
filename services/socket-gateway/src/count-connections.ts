import type { IncomingMessage } from 'node:http';
import { networkOf } from '@bambochat/runtime';
import type { Connection } from './raw-web-socket.ts';

export interface Connections {
  /** Why one more from there is too many; null when it is not. */
  refusal(request: IncomingMessage): 'too many connections' | 'too many of this address' | null;
  add(connection: Connection): void;
  /** Those that are open now, with or without a user. */
  all(): Iterable<Connection>;
}

interface Network {
  readonly name: string;
  connections: number;
}

/**
 * Counts connections, and those of each network (an IPv4 address, an IPv6 /64). Costs a connection
 * one entry and no closure.
 */
export function countConnections(options: {
  max: number;
  maxPerAddress: number;
  addressOf: (request: IncomingMessage) => string;
}): Connections {
  const { max, maxPerAddress, addressOf } = options;
  const connections = new Map<Connection, Network>();
  const networks = new Map<string, Network>();

  function forget(this: Connection): void {
    const network = connections.get(this);
    if (network === undefined) {
      return;
    }
    connections.delete(this);
    network.connections -= 1;
    if (network.connections === 0) {
      networks.delete(network.name);
    }
  }

  return {
    refusal(request) {
      if (connections.size >= max) {
        return 'too many connections';
      }
      const network = networks.get(networkOf(addressOf(request)));
      return (network?.connections ?? 0) >= maxPerAddress ? 'too many of this address' : null;
    },
    add(connection) {
      const name = networkOf(addressOf(connection.request));
      const network = networks.get(name) ?? { name, connections: 0 };
      networks.set(name, network);
      network.connections += 1;
      connections.set(connection, network);
      connection.on('close', forget);
    },
    all: () => connections.keys(),
  };
}
