import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

test('writes JSON lines with static text, data in fields, and nothing private', () => {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'info',
    stream: { write: (line: string) => void lines.push(line) },
  });
  logger.info(
    {
      token: 'hunter2',
      user: { email: 'hunter2', password: 'hunter2', userId: 'alice' },
      request: { headers: { authorization: 'hunter2' } },
    },
    'user logged in',
  );
  logger.debug('below the level');
  expect(lines).toHaveLength(1);
  const line = JSON.parse(lines[0] ?? '');
  expect(line).toMatchObject({
    level: 30,
    service: 'test',
    msg: 'user logged in',
    token: '[redacted]',
    user: { userId: 'alice' },
  });
  expect(lines[0]).not.toContain('hunter2');
});
