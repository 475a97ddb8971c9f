import { isIP } from 'node:net';
import { originList } from '@bambochat/runtime';
import { z } from 'zod';

const namedRanges = ['loopback', 'linklocal', 'uniquelocal'];

function isRange(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) {
    return namedRanges.includes(text);
  }
  return (
    prefix === undefined || (/^\d{1,3}$/.test(prefix) && +prefix <= (version === 4 ? 32 : 128))
  );
}

/** Variables of every process that serves REST. */
export const restConfig = {
  /** Origins of browsers that may read answers (CORS). Tokens travel in a header, never a cookie. */
  ALLOWED_ORIGINS: originList().prefault('*'),
  /**
   * Who may tell the client's address by `X-Forwarded-For`: addresses, subnets, `loopback`,
   * `linklocal`, `uniquelocal`, separated by commas. Absent: nobody, and the address is the peer's.
   */
  TRUST_PROXY: z
    .string()
    .refine((list) => list.split(',').every((range) => isRange(range.trim())), {
      error: 'must be a list of addresses, subnets, loopback, linklocal or uniquelocal',
    })
    .optional(),
};
