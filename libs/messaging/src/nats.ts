export type { JetStreamCommandLogOptions } from './command-log-jetstream.ts';
export { createJetStreamCommandLog } from './command-log-jetstream.ts';
export type { NatsEventBus, NatsEventBusOptions } from './event-bus-nats.ts';
export { createNatsEventBus } from './event-bus-nats.ts';
export { consumerName, partitionsNote } from './jetstream-topology.ts';
export type { ConnectNatsOptions, MessagingLogger, NatsConnection } from './nats-connection.ts';
export { connectNats } from './nats-connection.ts';
