import type { Msg } from 'nats';
import { expect, test } from 'vitest';
import { readDelivery } from './jetstream-delivery.ts';
import { natsFailure, refusedPublish } from './nats-errors.ts';
import { subjectMatcher } from './subject.ts';

const read = (reply: string) => readDelivery({ reply } as Msg);
const facts = {
  consumer: 'partition-3',
  deliveryCount: 2,
  streamSequence: 41,
  consumerSequence: 57,
};

test('both forms of an acknowledgement subject are read', () => {
  expect(read('$JS.ACK.CHAT.partition-3.2.41.57.1700000000000.0')).toMatchObject(facts);
  expect(read('$JS.ACK._.hash.CHAT.partition-3.2.41.57.1700000000000.0.random')).toMatchObject(
    facts,
  );
});

test.each(['', '_INBOX.x', '$JS.FC.a.b.c.d.e.f.g', '$JS.ACK.a.b.x.y.z.1.0'])(
  '%j is no delivery',
  (reply) => {
    expect(read(reply)).toBeUndefined();
  },
);

test.each([
  [{ code: 503, err_code: 10077, description: 'maximum messages exceeded' }, 'OVERLOADED'],
  [{ code: 503, err_code: 10077, description: 'maximum bytes exceeded' }, 'OVERLOADED'],
  [{ code: 503, err_code: 10077, description: 'no space left on device' }, 'UNAVAILABLE'],
  [{ code: 503, err_code: 10023, description: 'insufficient resources' }, 'OVERLOADED'],
  [{ code: 400, err_code: 10054, description: 'message size exceeds maximum' }, 'TOO_LARGE'],
  [{ code: 503, err_code: 10008, description: 'system temporarily unavailable' }, 'UNAVAILABLE'],
])('the refusal %j is %s', (error, code) => {
  const refusal = refusedPublish(error);
  expect(refusal.code).toBe(code);
  expect(refusal.message).not.toContain(error.description);
});

test('any other failure of the client is UNAVAILABLE and keeps its cause', () => {
  const cause = new Error('socket hang up at 10.0.0.1');
  expect(natsFailure(cause)).toMatchObject({ code: 'UNAVAILABLE', cause });
  expect(natsFailure(cause).message).not.toContain('10.0.0.1');
});

test.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a.c', false],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['a.*', 'a', false],
  ['>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['a.>', 'a.b.c', true],
  ['*.b.>', 'a.b.c.d', true],
])('the pattern %s and the subject %s: %s', (pattern, subject, matches) => {
  expect(subjectMatcher(pattern)(subject)).toBe(matches);
});
