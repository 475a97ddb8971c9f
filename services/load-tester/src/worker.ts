/*
 * One of the processes that hold the sockets of a run, whichever machine it is on. It joins the
 * coordinator that `LOAD_WORKER` names, and does what that says.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd } from './crowd.ts';
import { Recorder } from './recorder.ts';
import { MessageSender, Speakers } from './send-messages.ts';
import { Day } from './spend-day.ts';
import type { WorkerSettings } from './start-workers.ts';
import { joinCoordinator, type WorkerConnection } from './worker-connection.ts';
import type { Checked, Opened, Order, Settled } from './worker-protocol.ts';

/** Milliseconds. */
const QUIET_FOR = 1500;
const STORM_WITHIN = 120_000;
/** As long as answers or deliveries come, the run goes on, but not for ever. */
const SETTLE_WITHIN = 300_000;
const NOTHING_COMES = 30_000;
const PROGRESS_INTERVAL = 1000;

class Worker {
  readonly #connection: Promise<WorkerConnection>;
  readonly #secret: string | null;
  #clockOffset = 0;
  readonly #recorder = new Recorder(() => this.#now());
  #crowd: Crowd | null = null;
  #opening: (Order & { kind: 'open' }) | null = null;
  #sender: MessageSender | null = null;
  #day: Day | null = null;
  #stormOver: number | null = null;
  /** Of the run; null: messages are not due yet, or all was said. */
  #second: number | null = null;
  #progress: NodeJS.Timeout;

  constructor() {
    const { meeting, secret } = JSON.parse(process.env.LOAD_WORKER ?? '{}') as WorkerSettings;
    this.#secret = secret;
    this.#connection = joinCoordinator(meeting, {
      order: (order) => this.#obey(order),
      bye: () => process.exit(0),
      gone: give,
    });
    this.#connection.catch((error: Error) => give(error.message));
    this.#progress = setInterval(() => this.#tell(), PROGRESS_INTERVAL);
  }

  /** By the coordinator's clock. */
  #now(): number {
    return performance.timeOrigin + performance.now() + this.#clockOffset;
  }

  async #obey(order: Exclude<Order, { kind: 'bye' }>): Promise<void> {
    const connection = await this.#connection;
    try {
      connection.say(await this.#carryOut(order));
    } catch (error) {
      connection.say({ kind: 'failed', message: (error as Error).message });
    }
  }

  async #carryOut(order: Exclude<Order, { kind: 'bye' }>) {
    switch (order.kind) {
      case 'clock':
        return { kind: 'time', now: this.#now() } as const;
      case 'open':
        return this.#open(order);
      case 'send':
        return this.#send(order);
      case 'check':
        return this.#check(order.stored);
    }
  }

  async #open(order: Order & { kind: 'open' }): Promise<Opened> {
    this.#clockOffset = order.clockOffset;
    this.#opening = order;
    this.#crowd = new Crowd(order, this.#recorder, this.#secret);
    this.#sender = new MessageSender(this.#crowd, this.#recorder, () => this.#now());
    return this.#crowd.openAll();
  }

  async #send(order: Order & { kind: 'send' }): Promise<Settled> {
    const { from, steps, senders, storm, mixed } = order;
    const [crowd, sender, opening] = [this.#crowd, this.#sender, this.#opening];
    if (crowd === null || sender === null || opening === null) {
      throw new Error('Told to send before sockets were opened');
    }
    const duration = steps.reduce((sum, step) => sum + step.duration, 0);
    this.#recorder.begin(from, steps);
    const speakers = new Speakers(crowd, opening);
    const day = mixed ? new Day(crowd, opening, speakers) : null;
    this.#day = day;
    const untilEnd = from + duration - this.#now();
    await pause(Math.max(0, from - this.#now()));
    this.#second = 0;
    clearInterval(this.#progress);
    this.#progress = setInterval(() => this.#tell(), PROGRESS_INTERVAL);
    await Promise.all([
      sender.send({
        from,
        steps,
        part: senders === 0 ? 0 : crowd.senders.length / senders,
        speakers,
        beside: day === null ? null : (...who) => day.beside(...who),
      }),
      storm ? this.#strike(crowd, from + duration / 2) : null,
      day?.comeAndGo(performance.now() + untilEnd - QUIET_FOR),
    ]);
    await settle(crowd);
    await this.#tell();
    this.#second = null;
    return { kind: 'settled', reactions: day?.reactions ?? [] };
  }

  /** Every socket is cut at once; resolves when all are back. */
  async #strike(crowd: Crowd, moment: number): Promise<void> {
    await pause(Math.max(0, moment - this.#now()));
    const began = performance.now();
    const open = crowd.participants.filter(({ socket }) => socket !== null);
    for (const participant of open) {
      participant.ending = 'storm';
      participant.socket?.terminate();
    }
    do {
      if (performance.now() - began > STORM_WITHIN) {
        const away = open.filter(({ socket }) => socket === null).length;
        throw new Error(`${away} sockets did not come back within ${STORM_WITHIN / 1000} s`);
      }
      await pause(20);
    } while (open.some(({ socket, ending }) => socket === null || ending === 'storm'));
    this.#stormOver = performance.now() - began;
  }

  #check(stored: readonly number[]): Checked {
    clearInterval(this.#progress);
    const { participants, socketsLost, strays } = this.#crowd as Crowd;
    const sums = { expected: 0, delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
    const confirmedSeqs: [number, string][] = [];
    let confirmedTwice = 0;
    for (const membership of participants.flatMap(({ memberships }) => memberships)) {
      membership.finish(stored[membership.conversation] ?? 0);
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
        sums[name] += membership.sums[name];
      }
      confirmedTwice += membership.confirmedTwice;
      if (membership.own.size > 0) {
        confirmedSeqs.push([membership.conversation, membership.own.encode()]);
      }
    }
    const { user, system } = process.cpuUsage();
    return {
      kind: 'checked',
      ...sums,
      steps: this.#recorder.steps(),
      unanswered: this.#sender?.unanswered ?? 0,
      skipped: this.#sender?.skipped ?? 0,
      strays,
      socketsLost,
      confirmedSeqs,
      confirmedTwice,
      day: this.#day?.figures ?? {
        typings: 0,
        marks: 0,
        reactions: 0,
        returns: 0,
        caughtUp: 0,
        wrong: 0,
      },
      cpu: (user + system) / 1e6,
      stormOver: this.#stormOver,
    };
  }

  async #tell(): Promise<void> {
    const second = this.#second;
    const tally = second === null ? null : this.#recorder.takeSecond();
    if (second !== null) {
      this.#second = second + 1;
    }
    const connection = await this.#connection;
    connection.say({ kind: 'progress', open: this.#crowd?.open ?? 0, second, tally });
  }
}

async function settle(crowd: Crowd): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN;
  const awaited = () => crowd.participants.reduce((sum, one) => sum + one.awaited, 0);
  let before = awaited();
  let lastSeen = performance.now();
  while (performance.now() < deadline) {
    await pause(50);
    const left = awaited();
    if (left !== before) {
      lastSeen = performance.now();
    }
    before = left;
    const quiet = performance.now() - Math.max(lastSeen, crowd.lastDelivery);
    if (quiet > (left === 0 ? QUIET_FOR : NOTHING_COMES)) {
      return;
    }
  }
}

function give(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

process.on('disconnect', () => process.exit(2));
new Worker();
