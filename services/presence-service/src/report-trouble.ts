import type { Logger } from '@bambochat/runtime';

/** One line when something begins to fail and one when it works again, however often it is tried. */
export interface Trouble {
  failed(error?: unknown): void;
  over(): void;
}

export function createTrouble(logger: Logger, messages: { begins: string; ends: string }): Trouble {
  let since: number | null = null;
  return {
    failed(error) {
      if (since === null) {
        since = performance.now();
        logger.warn(error === undefined ? {} : { err: error }, messages.begins);
      }
    },
    over() {
      if (since !== null) {
        logger.info({ duration: Math.round(performance.now() - since) }, messages.ends);
        since = null;
      }
    },
  };
}
