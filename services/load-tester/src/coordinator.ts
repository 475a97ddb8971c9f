import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Joined, Order, Progress, Report } from './worker-protocol.ts';

type Awaited = Exclude<Report['kind'], 'progress' | 'failed' | 'joined'>;

export interface CoordinatorOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** What a worker must show. */
  readonly token: string;
  /** How many must join. */
  readonly workers: number;
  /** Milliseconds. */
  readonly joinWithin: number;
  /** A worker that has said nothing for so long is lost. Milliseconds. */
  readonly silenceMax?: number;
  readonly onProgress?: (worker: number, progress: Progress) => void;
}

/** A run that cannot be brought to a verdict because a worker is gone or has failed. */
export class WorkerLostError extends Error {}

/** Bytes of one report: confirmed messages are a bit each, seconds are a few kilobytes. */
const REPORT_MAX = 64 * 2 ** 20;
const SILENCE_MAX = 20_000;
const PING_INTERVAL = 2000;
const CLOCK_ROUNDS = 10;

interface Worker {
  readonly socket: WebSocket;
  name: string;
  /** Milliseconds to add to its clock. */
  offset: number;
  lastHeard: number;
  /** The report that its present order ends with. */
  awaited: { readonly kind: Awaited; resolve(report: Report): void } | null;
}

/**
 * Where the processes that hold sockets are told what to do, in step with each other: on one machine
 * and on many it is the same. Workers come to it over TCP, with a token; there are no stragglers and
 * no replacements: when one is gone, fails or falls silent, the run has failed, and all are let go.
 */
export class Coordinator implements AsyncDisposable {
  readonly port: number;
  readonly #options: CoordinatorOptions;
  readonly #server: WebSocketServer;
  readonly #workers: Worker[] = [];
  readonly #watch: NodeJS.Timeout;
  readonly #lost = Promise.withResolvers<never>();
  readonly #complete = Promise.withResolvers<void>();
  #isOver = false;

  private constructor(options: CoordinatorOptions, server: WebSocketServer, port: number) {
    this.#options = options;
    this.#server = server;
    this.port = port;
    // It may be rejected while nobody waits.
    this.#lost.promise.catch(() => {});
    server.on('connection', (socket) => this.#welcome(socket));
    this.#watch = setInterval(() => this.#lookForSilence(), PING_INTERVAL);
  }

  /** @throws Error when the port cannot be had */
  static async listen(options: CoordinatorOptions): Promise<Coordinator> {
    const http = createServer((_request, response) => response.writeHead(404).end());
    const server = new WebSocketServer({
      server: http,
      maxPayload: REPORT_MAX,
      verifyClient: ({ req }: { req: IncomingMessage }) => isMember(req, options.token),
    });
    http.listen(options.port, options.host);
    await once(http, 'listening');
    return new Coordinator(options, server, (http.address() as AddressInfo).port);
  }

  /**
   * Resolves when all workers have joined and their clocks were compared.
   *
   * @returns milliseconds by which clocks may still differ
   * @throws WorkerLostError when they do not come in time
   */
  async joined(): Promise<number> {
    const { workers, joinWithin } = this.#options;
    const late = setTimeout(() => {
      const missing = `${this.#workers.length} of ${workers} workers have joined`;
      this.#fail(`Only ${missing} within ${joinWithin / 1000} s`);
    }, joinWithin);
    try {
      await Promise.race([this.#complete.promise, this.#lost.promise]);
    } finally {
      clearTimeout(late);
    }
    return this.#compareClocks();
  }

  /** Milliseconds that a worker's clock is behind this one's. */
  clockOffset(worker: number): number {
    return this.#workers[worker]?.offset ?? 0;
  }

  /**
   * Gives every worker its order, and waits until all have said that it is done.
   *
   * @throws WorkerLostError when one has failed, ended or fallen silent
   */
  async order<K extends Awaited>(
    orderOf: (worker: number) => Order,
    until: K,
  ): Promise<(Report & { kind: K })[]> {
    return Promise.all(
      this.#workers.map((worker, index) => this.#ask(worker, orderOf(index), until)),
    );
  }

  /** A process that this machine has started for it has ended. */
  processEnded(what: string): void {
    this.#fail(what);
  }

  /** All is said: lets the workers go in peace. */
  finish(): void {
    this.#isOver = true;
    for (const { socket } of this.#workers) {
      send(socket, { kind: 'bye' });
    }
  }

  /** Workers that were not let go before end with an error of their own. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    clearInterval(this.#watch);
    for (const socket of this.#server.clients) {
      socket.close();
    }
    const closed = once(this.#server.options.server ?? this.#server, 'close');
    this.#server.close();
    const http = this.#server.options.server;
    http?.close();
    const impatient = setTimeout(() => {
      for (const socket of this.#server.clients) {
        socket.terminate();
      }
    }, 1000);
    await closed;
    clearTimeout(impatient);
  }

  #welcome(socket: WebSocket): void {
    const worker: Worker = {
      socket,
      name: 'A worker',
      offset: 0,
      lastHeard: performance.now(),
      awaited: null,
    };
    socket.on('error', () => {});
    socket.on('pong', () => {
      worker.lastHeard = performance.now();
    });
    socket.on('message', (data: Buffer) => {
      worker.lastHeard = performance.now();
      this.#hear(worker, JSON.parse(data.toString()));
    });
    socket.on('close', () => {
      if (this.#workers.includes(worker)) {
        this.#fail(`${worker.name} has gone`);
      }
    });
  }

  #hear(worker: Worker, report: Report): void {
    if (report.kind === 'joined') {
      this.#enlist(worker, report);
    } else if (report.kind === 'progress') {
      this.#options.onProgress?.(this.#workers.indexOf(worker), report);
    } else if (report.kind === 'failed') {
      this.#fail(`${worker.name}: ${report.message}`);
    } else if (report.kind === worker.awaited?.kind) {
      worker.awaited.resolve(report);
      worker.awaited = null;
    }
  }

  #enlist(worker: Worker, { host, pid }: Joined): void {
    if (this.#workers.length === this.#options.workers) {
      worker.socket.close(1008, 'All workers are here already');
      return;
    }
    this.#workers.push(worker);
    worker.name = `Worker ${this.#workers.length} (${host}, pid ${pid})`;
    if (this.#workers.length === this.#options.workers) {
      this.#complete.resolve();
    }
  }

  #ask<K extends Awaited>(worker: Worker, order: Order, until: K): Promise<Report & { kind: K }> {
    const { promise, resolve } = Promise.withResolvers<Report>();
    worker.awaited = { kind: until, resolve };
    send(worker.socket, order);
    return Promise.race([promise as Promise<Report & { kind: K }>, this.#lost.promise]);
  }

  /** A worker that is stopped, or beyond a network that swallows everything, closes nothing. */
  #lookForSilence(): void {
    const { silenceMax = SILENCE_MAX } = this.#options;
    for (const { socket, name, lastHeard } of this.#workers) {
      if (performance.now() - lastHeard > silenceMax) {
        this.#fail(`${name} has been silent for ${silenceMax / 1000} s`);
      } else if (socket.readyState === socket.OPEN) {
        socket.ping();
      }
    }
  }

  /** The first failure is the one that is told. */
  #fail(message: string): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#lost.reject(new WorkerLostError(message));
    }
  }

  /** As NTP does: the answer with the shortest way says most. */
  async #compareClocks(): Promise<number> {
    let uncertainty = 0;
    for (const worker of this.#workers) {
      let shortest = Number.POSITIVE_INFINITY;
      for (let round = 0; round < CLOCK_ROUNDS; round += 1) {
        const began = now();
        const report = await this.#ask(worker, { kind: 'clock' }, 'time');
        const way = now() - began;
        if (way < shortest) {
          shortest = way;
          worker.offset = began + way / 2 - report.now;
        }
      }
      uncertainty = Math.max(uncertainty, shortest / 2);
    }
    return uncertainty;
  }
}

const now = () => performance.timeOrigin + performance.now();

function send(socket: WebSocket, order: Order): void {
  socket.send(JSON.stringify(order));
}

function isMember(request: IncomingMessage, token: string): boolean {
  const shown = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return shown.length === wanted.length && timingSafeEqual(shown, wanted);
}
