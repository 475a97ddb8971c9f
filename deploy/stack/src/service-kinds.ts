/** The services of the stack, in the order in which they stop: who asks before who answers. */
export const kinds = {
  gateways: 'socket-gateway',
  messageServices: 'message-service',
  presenceServices: 'presence-service',
  historyServices: 'history-service',
  directoryServices: 'directory-service',
} as const;
export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as Kind[];

/** Milliseconds that all of them together have to stop. */
export const SERVICES_STOP = 20_000;
