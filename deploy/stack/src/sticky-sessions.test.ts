import { afterEach, describe, expect, it, vi } from 'vitest';
import { createStickySessions, handshakeSid, requestedSid } from './sticky-sessions.ts';
import type { Target } from './target-pool.ts';

const target: Target = { name: 'gateway-1', url: 'http://127.0.0.1:1' };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('sticky sessions', () => {
  it('remember where a session lives', () => {
    const sessions = createStickySessions();
    sessions.learn('abc', target);
    expect(sessions.targetOf('abc')).toBe(target);
    expect(sessions.targetOf('abd')).toBeUndefined();
  });

  it('forget the least recently used beyond their bound', () => {
    const sessions = createStickySessions({ max: 2 });
    sessions.learn('one', target);
    sessions.learn('two', target);
    sessions.targetOf('one');
    sessions.learn('three', target);
    expect(sessions.targetOf('one')).toBe(target);
    expect(sessions.targetOf('two')).toBeUndefined();
  });

  it('forget a session that is not used, and keep one that is', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let now = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const advance = (milliseconds: number) => {
      now += milliseconds;
      // The cache looks at the clock once in a millisecond.
      vi.advanceTimersByTime(milliseconds);
    };
    const sessions = createStickySessions({ ttl: 1000 });
    sessions.learn('used', target);
    sessions.learn('idle', target);
    for (let round = 0; round < 4; round += 1) {
      advance(400);
      expect(sessions.targetOf('used')).toBe(target);
    }
    expect(sessions.targetOf('idle')).toBeUndefined();
  });
});

describe('the session id', () => {
  it('is read from a request', () => {
    expect(requestedSid('/socket.io/?EIO=4&transport=polling&sid=aB_-9')).toBe('aB_-9');
    expect(requestedSid('/socket.io/?EIO=4&transport=polling')).toBeNull();
    expect(requestedSid('/socket.io/?sid=')).toBeNull();
    expect(requestedSid('/socket.io/')).toBeNull();
  });

  it('is read from the answer to a handshake', () => {
    const answer = '0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000}';
    expect(handshakeSid(answer)).toBe('lv_VI97HAXpY6yYWAAAC');
    expect(handshakeSid('0{"upgrades":["websocket"],"sid":"x"}')).toBe('x');
    expect(handshakeSid(answer.slice(0, 15))).toBeNull();
    expect(handshakeSid('4{"sid":"x"}')).toBeNull();
    expect(handshakeSid('{"code":3,"message":"Bad request"}')).toBeNull();
  });
});
