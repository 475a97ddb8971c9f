import { originList, proxyList } from '@bambochat/runtime';

/** Variables of every process that serves REST. */
export const restConfig = {
  /** Origins of browsers that may read answers (CORS). Tokens travel in a header, never a cookie. */
  ALLOWED_ORIGINS: originList().prefault('*'),
  /**
   * Who may tell the client's address by `X-Forwarded-For`: addresses, subnets, `loopback`,
   * `linklocal`, `uniquelocal`, separated by commas. Absent: nobody, and the address is the peer's.
   */
  TRUST_PROXY: proxyList().optional(),
};
