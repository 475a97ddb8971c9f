import { headers } from 'nats';
import { expect, test } from 'vitest';
import { traceHeaders, tracesIn } from './trace-headers.ts';

const one = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const two = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

test('traces of a command keep their places', () => {
  expect(tracesIn(traceHeaders([one, '', two, one]))).toEqual([one, '', two, one]);
});

test('a command of one item carries the header as W3C has it', () => {
  expect(traceHeaders([one]).get('traceparent')).toBe(one);
});

test('no header means that nothing is traced', () => {
  expect(tracesIn(undefined)).toBeUndefined();
  expect(tracesIn(headers())).toBeUndefined();
});
