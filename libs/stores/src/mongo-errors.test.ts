import { AppError } from '@bambochat/protocol';
import {
  MongoClientClosedError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoWriteConcernError,
} from 'mongodb';
import { describe, expect, test } from 'vitest';
import { speakingToMongo } from './mongo-errors.ts';
import { exactly, oneOf } from './mongo-filter.ts';

const thrown = (error: unknown) =>
  speakingToMongo(() => Promise.reject(error)).catch((reason: unknown) => reason);

describe('errors of the driver', () => {
  const labelled = new MongoError('label');
  labelled.addErrorLabel('RetryableWriteError');
  const waitQueue = Object.defineProperty(new MongoError('busy'), 'name', {
    value: 'MongoWaitQueueTimeoutError',
  });
  const brokenPipe = Object.assign(new Error('write EPIPE'), {
    code: 'EPIPE',
    errno: -32,
    syscall: 'write',
  });
  test.each([
    ['a broken pipe', brokenPipe],
    ['a stream that was ended', Object.assign(new Error('ended'), { code: 'EPIPE' })],
    ['a stream that is gone', Object.assign(new Error('gone'), { code: 'ERR_STREAM_DESTROYED' })],
    ['a network error', new MongoNetworkError('connection closed')],
    ['a timeout of a socket', new MongoNetworkTimeoutError('timed out')],
    ['a closed client', new MongoClientClosedError()],
    ['a queue for connections that is too long', waitQueue],
    ['an error that the server calls retryable', labelled],
    ['a server that is not primary', new MongoServerError({ message: 'not primary', code: 10107 })],
    [
      'a server that is shutting down',
      new MongoServerError({ message: 'shutting down', code: 11600 }),
    ],
    ['a read that took too long', new MongoServerError({ message: 'too slow', code: 50 })],
    ['a full disk', new MongoServerError({ message: 'disk full', code: 14031 })],
    // The store's trouble, not the message's: it must wait, and not become a dead letter.
    ['a command that is not allowed', new MongoServerError({ message: 'no rights', code: 13 })],
    [
      'a majority that did not confirm',
      new MongoWriteConcernError({
        ok: 1,
        writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
      }),
    ],
  ])('%s is UNAVAILABLE, with its cause kept and its text hidden', async (_name, error) => {
    const result = await thrown(error);
    expect(result).toBeInstanceOf(AppError);
    expect(result).toMatchObject({ code: 'UNAVAILABLE', cause: error });
    expect(String(result)).not.toContain(error.message);
  });

  test.each([
    ['a duplicate key', new MongoServerError({ message: 'E11000', code: 11000 })],
    ['a wrong argument', new MongoInvalidArgumentError('wrong')],
    ['a wrong argument of Node', Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['a bug', new TypeError('undefined is not a function')],
    ['an error of ours', new AppError('NOT_FOUND', 'x')],
  ])('%s stays what it is', async (_name, error) => {
    expect(await thrown(error)).toBe(error);
  });
});

test('only strings can be matched in a filter', () => {
  const operator = { $gt: '' } as unknown as string;
  expect(exactly('$gt')).toBe('$gt');
  expect(() => exactly(operator)).toThrow(TypeError);
  expect(() => exactly(undefined as unknown as string)).toThrow(TypeError);
  expect(oneOf(['a', 'b'])).toEqual({ $in: ['a', 'b'] });
  expect(() => oneOf(['a', operator])).toThrow(TypeError);
});
