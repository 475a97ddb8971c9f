/** What one of each thing costs. CPU time in µs, memory in KiB, unless it is said otherwise. */
export interface UnitCosts {
  readonly gatewayPerDelivery: number;
  /** Taking it, handing it on and confirming it. */
  readonly gatewayPerMessage: number;
  /** A message comes from Redis, for a room with sockets here; without its deliveries. */
  readonly gatewayPerReceipt: number;
  readonly gatewayPerConnect: number;
  /** In a second: its ping each 25 s. */
  readonly gatewayPerIdleSocket: number;
  /** Without sockets. */
  readonly gatewayMemory: number;
  readonly memoryPerSocket: number;
  /** One of a command with few. */
  readonly messageServicePerMessage: number;
  readonly directoryPerConnect: number;
  /** Somebody comes or goes. */
  readonly presencePerChange: number;
  readonly redisPerPublish: number;
  /** For each gateway that has subscribed. */
  readonly redisPerCopy: number;
  readonly natsPerMessage: number;
  /** Of the command stream, by default. */
  readonly partitions: number;
  /** From a command's append until the next of its partition may be handled. */
  readonly commandMilliseconds: number;
  readonly messagesPerCommand: number;
  /** A stored message with its indexes, in bytes. */
  readonly bytesPerMessage: number;
}

/** CAPACITY.md says of each how it was measured. */
export const unitCosts: UnitCosts = {
  gatewayPerDelivery: 14,
  gatewayPerMessage: 940,
  gatewayPerReceipt: 289,
  gatewayPerConnect: 368,
  gatewayPerIdleSocket: 1.8,
  gatewayMemory: 163_840,
  memoryPerSocket: 30.8,
  messageServicePerMessage: 1940,
  directoryPerConnect: 580,
  presencePerChange: 1390,
  redisPerPublish: 20,
  redisPerCopy: 3.3,
  natsPerMessage: 750,
  partitions: 16,
  commandMilliseconds: 12,
  messagesPerCommand: 1,
  bytesPerMessage: 520,
};
