import { readFile } from 'node:fs/promises';
import { cpuSeconds } from './process-figures.ts';

/** Something of the deployment whose CPU time and memory can be read. */
export interface ServerProcess {
  readonly name: string;
  /** Seconds of CPU time since it began, and resident bytes. */
  read(): Promise<{ cpu: number; memory: number }>;
}

/** A process of this machine. Linux. */
export function localProcess(name: string, pid: number): ServerProcess {
  return {
    name,
    async read() {
      const cpu = await cpuSeconds([pid]);
      const status = await readFile(`/proc/${pid}/status`, 'utf8');
      return { cpu, memory: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024 };
    },
  };
}

const SCRAPE_TIMEOUT = 5000;

/** A process anywhere, by what it says of itself at `/metrics` (Prometheus). */
export function remoteProcess(name: string, url: string): ServerProcess {
  return {
    name,
    async read() {
      const response = await fetch(url, { signal: AbortSignal.timeout(SCRAPE_TIMEOUT) });
      const text = await response.text();
      const value = (metric: string) => {
        const found = new RegExp(`^${metric} ([0-9.e+-]+)$`, 'm').exec(text)?.[1];
        if (found === undefined) {
          throw new Error(`${url} has no ${metric}`);
        }
        return Number(found);
      };
      return {
        cpu: value('process_cpu_seconds_total'),
        memory: value('process_resident_memory_bytes'),
      };
    },
  };
}

/** What `npm run stack -- --json` and `npm start -- --json` print when they are ready. */
export interface Listing {
  readonly targets: readonly string[];
  readonly rest: string;
  readonly processes: readonly ServerProcess[];
}

/** @throws Error when there is no such line in the text */
export function readListing(text: string): Listing {
  const line = text.split('\n').find((one) => one.startsWith('{"ready":true'));
  if (line === undefined) {
    throw new Error('holds no line {"ready":true, …}');
  }
  const { edge, gateways, backends, url, pid, ...others } = JSON.parse(line);
  if (gateways === undefined) {
    return { targets: [url], rest: url, processes: [localProcess('standalone', pid)] };
  }
  const all: [string, { pid: number | null }][] = [
    ...Object.entries({ gateways, ...others }).flatMap(([kind, list]) =>
      Array.isArray(list)
        ? list.map((one, index): [string, { pid: number }] => [
            `${singular[kind] ?? kind}-${index + 1}`,
            one,
          ])
        : [],
    ),
    ...Object.entries(backends as Record<string, { pid: number | null }>),
  ];
  return {
    targets: gateways.map((gateway: { url: string }) => gateway.url),
    rest: edge.url,
    processes: all.flatMap(([name, one]) =>
      one.pid === null ? [] : [localProcess(name, one.pid)],
    ),
  };
}

const singular: Readonly<Record<string, string>> = {
  gateways: 'gateway',
  messageServices: 'message-service',
  historyServices: 'history-service',
  directoryServices: 'directory-service',
  presenceServices: 'presence-service',
};
