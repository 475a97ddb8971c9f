import type { UnitCosts } from './unit-costs.ts';

/** What is assumed of people and machines; each is an option of the command. */
export interface Assumptions {
  /** Users who are connected at the busiest moment. */
  readonly users: number;
  /** Sockets of each. */
  readonly devices: number;
  /** Messages that a connected user sends in a day. */
  readonly messagesPerDay: number;
  /** The busiest second against the mean of a day. */
  readonly peakFactor: number;
  /** Of the messages, those in groups; the others are direct. */
  readonly groupShare: number;
  /** Members of a group, who are all connected. */
  readonly groupMembers: number;
  /** Friends of a user who are connected. */
  readonly friendsOnline: number;
  /** Seconds from a connect of a device to its next: networks change, applications are closed. */
  readonly sessionSeconds: number;
  /** Sockets of one gateway pod, a process with a core. */
  readonly socketsPerGateway: number;
  /** Part of a core that a process may use at the busiest moment. */
  readonly utilisation: number;
  /** A gateway that goes: its sockets come back within so many seconds. */
  readonly stormSeconds: number;
  /** Messages that one MongoDB shard stores a second, majority and journaled. Not measured here. */
  readonly messagesPerShard: number;
}

export const defaults: Assumptions = {
  users: 100_000,
  devices: 1.2,
  messagesPerDay: 40,
  peakFactor: 2.5,
  groupShare: 0.4,
  groupMembers: 20,
  friendsOnline: 20,
  sessionSeconds: 1800,
  socketsPerGateway: 20_000,
  utilisation: 0.6,
  stormSeconds: 30,
  messagesPerShard: 3000,
};

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** How it comes about, with the numbers in it. */
  readonly from: string;
}

/** Something that one process or core does for all, and how much of it is used. */
export interface Limit {
  readonly what: string;
  /** Needed, in parts of what there is: more than 1 does not fit. */
  readonly used: number;
  readonly remedy: string;
}

export interface Capacity {
  readonly rows: readonly Row[];
  /** The fullest first. */
  readonly limits: readonly Limit[];
}

/** What a deployment needs at its busiest moment, from what one of each thing costs. */
export function deriveCapacity(assumed: Assumptions, cost: UnitCosts): Capacity {
  const rows: Row[] = [];
  const row = (what: string, value: number, unit: string, from: string): number => {
    rows.push({ what, value, unit, from });
    return value;
  };
  const pods = (cores: number) => Math.max(2, Math.ceil(cores / assumed.utilisation));
  const { users, devices, utilisation } = assumed;

  row('users', users, '', 'connected at the busiest moment');
  const sockets = row('sockets', users * devices, '', `users × ${devices} devices`);
  const messages = row(
    'messages',
    (users * assumed.messagesPerDay * assumed.peakFactor) / 86_400,
    '/s',
    `users × ${assumed.messagesPerDay} a day × ${assumed.peakFactor} at the peak ÷ 86,400 s`,
  );
  const others = (1 - assumed.groupShare) * 1 + assumed.groupShare * (assumed.groupMembers - 1);
  const copies = row(
    'copies of a message',
    (others + 1) * devices - 1,
    '',
    `(${others.toFixed(1)} receivers + the sender) × ${devices} devices, but for the sending socket`,
  );
  const deliveries = row('deliveries', messages * copies, '/s', 'messages × copies');
  const connects = row(
    'connects',
    sockets / assumed.sessionSeconds,
    '/s',
    `sockets ÷ ${assumed.sessionSeconds} s`,
  );

  const statuses = row(
    'status events',
    2 * connects * assumed.friendsOnline * devices,
    '/s',
    `connects and disconnects × ${assumed.friendsOnline} friends × ${devices} devices, as if each were a change`,
  );

  // Copies to others than the publisher's gateway; a room is on as many gateways as it has sockets, at most.
  const onGateways = (count: number, members: number) =>
    count * (1 - (1 - 1 / count) ** (members * devices));
  const subscribersOn = (count: number) =>
    (1 - assumed.groupShare) * onGateways(count, 2) +
    assumed.groupShare * onGateways(count, assumed.groupMembers);
  const coresOn = (count: number) =>
    ((deliveries + statuses) * cost.gatewayPerDelivery +
      messages * (cost.gatewayPerMessage + subscribersOn(count) * cost.gatewayPerReceipt) +
      connects * cost.gatewayPerConnect +
      sockets * cost.gatewayPerIdleSocket) /
    1e6;
  let count = Math.max(2, Math.ceil(sockets / assumed.socketsPerGateway));
  // More pods receive more copies, but never more than a room has sockets: this comes to an end.
  while (pods(coresOn(count)) > count) {
    count = pods(coresOn(count));
  }
  const subscribers = row(
    'gateways that a message goes to',
    subscribersOn(count),
    '',
    'pods × (1 − (1 − 1 ÷ pods) ^ sockets of the room), mean over direct and groups',
  );
  row(
    'gateways, CPU',
    coresOn(count),
    'cores',
    `(deliveries + status events) × ${cost.gatewayPerDelivery} µs + messages × (${cost.gatewayPerMessage} µs + gateways × ${cost.gatewayPerReceipt} µs) + connects × ${cost.gatewayPerConnect} µs + sockets × ${cost.gatewayPerIdleSocket} µs/s`,
  );
  const gateways = row(
    'gateway pods',
    count,
    '',
    `the larger of sockets ÷ ${assumed.socketsPerGateway} and cores ÷ ${utilisation}, at least 2`,
  );
  row(
    'memory of a gateway pod',
    (cost.gatewayMemory + (sockets / gateways) * cost.memoryPerSocket) / 1024,
    'MiB',
    `${Math.round(cost.gatewayMemory / 1024)} MiB + sockets of a pod × ${cost.memoryPerSocket} KiB`,
  );

  const messageCores = row(
    'message-services, CPU',
    (messages * cost.messageServicePerMessage) / 1e6,
    'cores',
    `messages × ${cost.messageServicePerMessage} µs`,
  );
  row('message-service pods', pods(messageCores), '', `cores ÷ ${utilisation}, at least 2`);
  const directoryCores = row(
    'directory-services, CPU',
    (connects * cost.directoryPerConnect) / 1e6,
    'cores',
    `connects × ${cost.directoryPerConnect} µs`,
  );
  const directories = row('directory-service pods', pods(directoryCores), '', 'as above');
  const presenceCores = row(
    'presence-services, CPU',
    (2 * connects * cost.presencePerChange) / 1e6,
    'cores',
    `connects and disconnects × ${cost.presencePerChange} µs`,
  );
  row('presence-service pods', pods(presenceCores), '', 'as above');

  const redisCore = row(
    'Redis for rooms, CPU',
    (messages * cost.redisPerPublish + messages * subscribers * cost.redisPerCopy) / 1e6,
    'cores',
    `messages × ${cost.redisPerPublish} µs + messages × gateways × ${cost.redisPerCopy} µs`,
  );
  const natsCores = row(
    'NATS, CPU',
    (messages * cost.natsPerMessage) / 1e6,
    'cores of one server',
    `messages × ${cost.natsPerMessage} µs (a stream of one replica)`,
  );
  row(
    'MongoDB shards',
    Math.max(1, Math.ceil(messages / assumed.messagesPerShard)),
    '',
    `messages ÷ ${assumed.messagesPerShard} (assumed, not measured)`,
  );
  row(
    'messages kept in a year',
    (users * assumed.messagesPerDay * 365 * cost.bytesPerMessage) / 2 ** 40,
    'TiB',
    `users × messages a day × 365 × ${cost.bytesPerMessage} bytes with indexes, before compression and replicas`,
  );
  const storm = row(
    'handshakes when a gateway goes',
    sockets / gateways / assumed.stormSeconds,
    '/s',
    `sockets of a pod ÷ ${assumed.stormSeconds} s`,
  );

  const limits: Limit[] = [
    {
      what: 'Redis for rooms: one core publishes everything',
      used: redisCore / utilisation,
      remedy:
        'a Redis for each part of the rooms (by hash of the conversation), or Redis Cluster, for which the sharded adapter is made; the connections are not built yet',
    },
    {
      what: 'the leader of the command stream: one NATS server',
      used: natsCores / utilisation,
      remedy:
        'several streams, each with a part of the partitions, so that leaders spread over the servers; not built yet',
    },
    {
      what: 'partitions: one command of each in flight',
      used:
        messages / (cost.partitions * (1000 / cost.commandMilliseconds) * cost.messagesPerCommand),
      remedy:
        'more partitions, up to 1,024 (`npm run operate -- partitions`); larger commands come by themselves, as gateways gather while two are unanswered',
    },
    {
      what: 'one MongoDB shard',
      used: messages / assumed.messagesPerShard,
      remedy: 'shard messages by conversationId',
    },
    {
      what: 'the directory, when a gateway goes',
      used: ((storm + connects) * cost.directoryPerConnect) / 1e6 / directories,
      remedy:
        'admission (HANDSHAKES_AT_ONCE) already slows it to what the directory can do; more pods make it shorter',
    },
  ];
  return { rows, limits: limits.sort((one, other) => other.used - one.used) };
}
