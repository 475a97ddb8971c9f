import { describe, expect, it } from 'vitest';
import { readyLine, readyTable, type StackListing } from './ready-line.ts';

const stack: StackListing = {
  edge: { url: 'http://127.0.0.1:3000' },
  gateways: [
    { url: 'http://127.0.0.1:1', pid: 11 },
    { url: 'http://127.0.0.1:2', pid: 12 },
  ],
  messageServices: [{ url: 'http://127.0.0.1:3', pid: 13 }],
  historyServices: [{ url: 'http://127.0.0.1:4', pid: 14 }],
  directoryServices: [{ url: 'http://127.0.0.1:5', pid: 15 }],
  presenceServices: [{ url: 'http://127.0.0.1:8', pid: 18 }],
  webServices: [{ url: 'http://127.0.0.1:9', pid: 19 }],
  backends: {
    mongodb: { url: 'mongodb://user:p%40ss@one:1,two:2/chat?replicaSet=r', pid: null },
    redis: { url: 'redis://:secret@127.0.0.1:6', pid: 16 },
    nats: { url: 'nats://127.0.0.1:7', pid: 17 },
  },
};

describe('the ready line', () => {
  it('is one line of JSON that lists every process, without credentials', () => {
    const line = readyLine(stack);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual({
      ready: true,
      ...stack,
      backends: {
        mongodb: { url: 'mongodb://one:1,two:2/chat?replicaSet=r', pid: null },
        redis: { url: 'redis://127.0.0.1:6', pid: 16 },
        nats: { url: 'nats://127.0.0.1:7', pid: 17 },
      },
    });
  });

  it('is a table for people that ends with the address', () => {
    const lines = readyTable(stack).split('\n');
    expect(lines.at(-1)).toBe('BamboChat ready at http://127.0.0.1:3000');
    expect(lines).toHaveLength(11);
    expect(lines[1]).toMatch(/^socket-gateway-2 +12 {2}http:\/\/127\.0\.0\.1:2$/);
    expect(lines[5]).toMatch(/^presence-service-1 +18 {2}http:\/\/127\.0\.0\.1:8$/);
    expect(lines[6]).toMatch(/^web-1 +19 {2}http:\/\/127\.0\.0\.1:9$/);
    expect(lines.join('\n')).not.toMatch(/p%40ss|secret/);
  });
});
