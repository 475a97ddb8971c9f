import { originList, proxyList } from '@bambochat/runtime';

/** Variables of every process that serves REST. */
export const restConfig = {
  ALLOWED_ORIGINS: originList()
    .prefault('*')
    .describe(
      'Origins of browsers that may connect and read answers (CORS). Tokens travel in a header, never in a cookie.',
    ),
  TRUST_PROXY: proxyList()
    .optional()
    .describe(
      "Who may tell the client's address by `X-Forwarded-For`. Absent: nobody, and the address is the peer's.",
    ),
};
