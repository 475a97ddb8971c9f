import { readConfig } from '@bambochat/runtime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { restConfig } from './rest-config.ts';

const schema = z.object(restConfig);

describe('TRUST_PROXY', () => {
  it.each(['loopback', '10.0.0.1', '10.0.0.0/8, fd00::/8', 'uniquelocal,linklocal'])(
    'accepts %s',
    (value) => {
      expect(readConfig(schema, { TRUST_PROXY: value }).TRUST_PROXY).toBe(value);
    },
  );

  it.each(['true', '1', '*', '10.0.0.0/33', '10.0.0.0/8/8', 'proxy.local', '10.0.0.1,'])(
    'refuses %s',
    (value) => {
      expect(() => readConfig(schema, { TRUST_PROXY: value })).toThrow(
        /TRUST_PROXY: must be a list/,
      );
    },
  );

  it('trusts nobody when absent', () => {
    expect(readConfig(schema, {}).TRUST_PROXY).toBeUndefined();
  });
});
