import { standaloneAddresses } from './standalone-target.ts';
import { presenceDefaults, type Target } from './target.ts';

/** A deployment that runs already, at the address in BAMBOCHAT_URL. */
export async function reachExternal(): Promise<Target> {
  const url = process.env.BAMBOCHAT_URL;
  if (!url) {
    throw new Error('BAMBOCHAT_URL must be the address of a deployment');
  }
  return {
    ...standaloneAddresses(url.replace(/\/$/, '')),
    name: `external at ${url}`,
    // Proxies keep these to themselves.
    operationsUrls: [],
    tokenSecret: null,
    presence: presenceDefaults,
    outputs: [],
    async [Symbol.asyncDispose]() {},
  };
}
