import { afterAll, beforeAll } from 'vitest';
import type { ProgramOutput } from './program-output.ts';

/** A running deployment, known by its addresses alone. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  /** Answers every REST path, and `/socket.io`. */
  readonly restUrl: string;
  /** At least one; users are spread over all of them. */
  readonly gatewayUrls: readonly [string, ...string[]];
  /** Every address that speaks Socket.IO, proxies included. */
  readonly socketUrls: readonly string[];
  /** Addresses that together serve the whole REST contract, each with its own OpenAPI document. */
  readonly restServiceUrls: readonly string[];
  /** Every process of the deployment that has `/healthz` and `/readyz`. */
  readonly operationsUrls: readonly string[];
  /** The HS256 secret the deployment was given, to forge tokens with; null: not known. */
  readonly tokenSecret: string | null;
  /** Milliseconds: how long a user stays online without a device, and a gateway without a word. */
  readonly presence: { readonly lease: number; readonly grace: number };
  /** What it logged, one for each time it was started; empty: not ours to see. */
  readonly outputs: readonly ProgramOutput[];
}

/** What a deployment does that was told nothing else. */
export const presenceDefaults = { lease: 15_000, grace: 5000 };

/** The gateway for the `index`-th user, so that neighbours meet on different gateways. */
export function gatewayUrl(target: Target, index: number): string {
  return target.gatewayUrls[index % target.gatewayUrls.length] ?? target.gatewayUrls[0];
}

/** Starts the target before the tests of a file and stops it after them. */
export function useTarget(start: () => Promise<Target>): () => Target {
  let target: Target | null = null;
  beforeAll(async () => {
    target = await start();
  });
  afterAll(async () => {
    await target?.[Symbol.asyncDispose]();
  });
  return () => {
    if (target === null) {
      throw new Error('The target is only there while tests run');
    }
    return target;
  };
}
