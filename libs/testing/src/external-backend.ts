import type { Backend, BackendName } from './backend.ts';
import { urlVariables } from './backend.ts';
import { probeReady } from './readiness.ts';
import { waitFor } from './wait-for.ts';

/**
 * A server that was given by its URL: used as it is, never started, stopped or killed.
 *
 * @throws Error when it does not answer within 10 s.
 */
export async function useExternalBackend(name: BackendName, url: string): Promise<Backend> {
  const variable = urlVariables[name];
  await waitFor(() => probeReady(name, url), {
    timeout: 10_000,
    interval: 250,
    describe: `the ${name} server that ${variable} names`,
  });
  const refuse = async (): Promise<never> => {
    throw new Error(
      `${name} was given by ${variable} and is not ours to kill, restart or pause; ` +
        'ask for one with `own: true`',
    );
  };
  return {
    name,
    url,
    pid: null,
    source: `${name}: the server that ${variable} names`,
    kill: refuse,
    restart: refuse,
    pause: refuse,
    resume: refuse,
    stop: async () => {},
  };
}
