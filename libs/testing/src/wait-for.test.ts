import { expect, test } from 'vitest';
import { waitFor } from './wait-for.ts';

test('waitFor gives the first truthy value, whatever the probe did before', async () => {
  let calls = 0;
  const value = await waitFor(
    () => {
      calls += 1;
      if (calls === 1) {
        throw new Error('not yet');
      }
      return calls === 4 ? 'there' : undefined;
    },
    { interval: 1 },
  );
  expect(value).toBe('there');
  expect(calls).toBe(4);
});

test('at the deadline the error names what was awaited and the last value', async () => {
  const waiting = waitFor(() => 0, { timeout: 30, interval: 5, describe: 'the moon' });
  await expect(waiting).rejects.toThrow('Waited 30 ms for the moon; last value: 0');
});

test('at the deadline the error names the last error and keeps it as its cause', async () => {
  const cause = new Error('clouds');
  const waiting = waitFor(() => Promise.reject(cause), { timeout: 30, describe: 'the moon' });
  await expect(waiting).rejects.toMatchObject({
    message: expect.stringContaining('last error: clouds'),
    cause,
  });
});

test('a probe that never answers does not outlast the deadline', async () => {
  const waiting = waitFor(() => new Promise<true>(() => {}), { timeout: 30, describe: 'the sea' });
  await expect(waiting).rejects.toThrow('the probe has not answered yet');
});
