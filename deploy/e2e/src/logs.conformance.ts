import { describe, expect, test } from 'vitest';
import { allSecrets } from './person.ts';
import type { Target } from './target.ts';

/** To be the last of a file. @param caused errors that the faults of the file must cause */
export function describeLogs(target: () => Target, caused: RegExp = /(?!)/): void {
  describe('logs', () => {
    test('hold no error, except for what was broken on purpose', ({ skip }) => {
      const { outputs } = target();
      skip(outputs.length === 0, 'not ours to read');
      expect(outputs.flatMap(({ severe }) => severe).filter((line) => !caused.test(line))).toEqual(
        [],
      );
    });

    test('hold no password, no token, no email address and no text of a message', ({ skip }) => {
      const { outputs, tokenSecret } = target();
      skip(outputs.length === 0, 'not ours to read');
      const secrets = [...allSecrets(), ...(tokenSecret === null ? [] : [tokenSecret])];
      expect(secrets.length).toBeGreaterThan(10);
      for (const output of outputs) {
        expect(output.dropped).toBe(0);
        expect(output.linesWith(secrets)).toEqual([]);
      }
    });
  });
}
