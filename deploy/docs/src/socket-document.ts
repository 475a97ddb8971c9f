import {
  clientEvents,
  connectErrorDataSchema,
  failureSchema,
  serverEvents,
} from '@bambochat/protocol/catalogue';
import { z } from 'zod';
import { reference, renderAsyncDocument } from './async-document.ts';
import { createSchemaCollection } from './json-schemas.ts';

const channel = 'namespace';

/** The events of Socket.IO, as AsyncAPI 3: seen from the server. */
export function socketDocument(): string {
  const schemas = createSchemaCollection();
  const messages: Record<string, unknown> = {};
  const operations: Record<string, unknown> = {};

  for (const [event, { description, payload, success }] of Object.entries(clientEvents)) {
    const key = `client.${event}`;
    const answer = `${key}.acknowledgement`;
    messages[key] = { name: event, summary: description, payload: schemas.add(payload) };
    if (success !== null) {
      messages[answer] = {
        name: `${event} (acknowledgement)`,
        summary: 'What the callback is called with, if the client gave one.',
        payload: schemas.add(z.union([success, failureSchema])),
      };
    }
    operations[`receive.${event}`] = {
      action: 'receive',
      summary: description,
      channel: reference('channels', channel),
      messages: [reference('channels', channel, 'messages', key)],
      ...(success === null
        ? {}
        : { reply: { messages: [reference('channels', channel, 'messages', answer)] } }),
    };
  }
  for (const [event, { description, payload }] of Object.entries(serverEvents)) {
    const key = `server.${event}`;
    messages[key] = { name: event, summary: description, payload: schemas.add(payload) };
    operations[`send.${event}`] = {
      action: 'send',
      summary: description,
      channel: reference('channels', channel),
      messages: [reference('channels', channel, 'messages', key)],
    };
  }
  messages['server.connect_error'] = {
    name: 'connect_error',
    summary:
      'The handshake was refused: `message` is `Authentication required` or `Invalid or expired token`, for instance, and this is its `data`.',
    payload: schemas.add(connectErrorDataSchema),
  };
  operations['send.connect_error'] = {
    action: 'send',
    summary: 'Refuses a handshake.',
    channel: reference('channels', channel),
    messages: [reference('channels', channel, 'messages', 'server.connect_error')],
  };

  return renderAsyncDocument({
    info: {
      title: 'BamboChat over Socket.IO',
      version: '0.1.0',
      description:
        'Events between clients and socket-gateways. Socket.IO 4 (Engine.IO 4), path `/socket.io`, WebSocket or long-polling, JSON. Accounts, conversations and history are REST: openapi.json.',
    },
    servers: {
      gateway: {
        host: '127.0.0.1:3000',
        pathname: '/socket.io',
        protocol: 'socket.io',
        description: 'One address for all gateways; wss in production.',
        security: [reference('components', 'securitySchemes', 'accessToken')],
      },
    },
    channels: {
      [channel]: {
        address: '/',
        summary: 'The one namespace.',
        description:
          'On connect a socket is in a room of its user and in the rooms of all conversations of the user. A name that is emitted by both sides, `typing`, has two shapes.',
        messages,
      },
    },
    operations,
    components: {
      schemas: schemas.schemas(),
      securitySchemes: {
        accessToken: {
          type: 'httpApiKey',
          name: 'token',
          in: 'query',
          description:
            'An access token (JWT), in `auth.token` of the Socket.IO handshake, which is no query parameter, or as `Authorization: Bearer`.',
        },
      },
    },
  });
}
