/** The part of a pino logger that rooms write to. */
export interface RoomsLogger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export const silentLogger: RoomsLogger = { info: () => {}, warn: () => {}, error: () => {} };
