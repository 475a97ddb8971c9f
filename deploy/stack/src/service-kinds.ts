/** The services of the stack. */
export const kinds = {
  webServices: 'web',
  gateways: 'socket-gateway',
  messageServices: 'message-service',
  presenceServices: 'presence-service',
  historyServices: 'history-service',
  directoryServices: 'directory-service',
} as const;
export type Kind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as Kind[];

/** Who asks before who answers. */
export const stopOrder: readonly (readonly Kind[])[] = [
  ['webServices', 'gateways'],
  ['messageServices'],
  ['presenceServices'],
  ['historyServices'],
  ['directoryServices'],
];

/** Milliseconds that all of them together have to stop. */
export const SERVICES_STOP = 20_000;
