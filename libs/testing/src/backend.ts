export const backendNames = ['mongodb', 'redis', 'nats'] as const;

export type BackendName = (typeof backendNames)[number];

/** The variable that names a server which is to be used as it is. */
export const urlVariables: Readonly<Record<BackendName, string>> = {
  mongodb: 'MONGODB_URL',
  redis: 'REDIS_URL',
  nats: 'NATS_URL',
};

export interface Backend {
  readonly name: BackendName;
  readonly url: string;
  /** Null while it is down, and always when it is no process of ours (given URL, Docker). */
  readonly pid: number | null;
  /** One line: what was chosen and why. Never contains a password. */
  readonly source: string;
  /** SIGKILL, or `docker kill`. @throws Error for a server that was given by its URL. */
  kill(): Promise<void>;
  /**
   * Starts it again, after `kill()` or while it runs, on the same port and data; resolves when it
   * answers. @throws Error for a server that was given by its URL.
   */
  restart(): Promise<void>;
  /** Makes it hang with its connections open. @throws Error for a given URL, or when it is down. */
  pause(): Promise<void>;
  /** Ends `pause()`. @throws Error for a given URL, or when it is down. */
  resume(): Promise<void>;
  /** Stops it gracefully and removes its data, unless the caller chose the data folder. */
  stop(): Promise<void>;
}
