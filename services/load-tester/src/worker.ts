/* One of the processes that hold the sockets of a run; `workers.ts` tells it what to do. */
import { setTimeout as pause } from 'node:timers/promises';
import { countLost, DeliveryCheck } from './delivery-check.ts';
import { Latency } from './latency.ts';
import { LightSocket } from './light-socket.ts';
import { createTokens, membersOf, userOf } from './people.ts';
import { arrivals } from './schedule.ts';
import type { Order, Report, Second } from './worker-protocol.ts';

type OpenOrder = Order & { kind: 'open' };
type SendOrder = Order & { kind: 'send' };

/** One user of the run and what their socket heard. */
interface Participant {
  readonly index: number;
  /** Indexes of conversations. */
  readonly conversations: number[];
  readonly checks: Map<number, DeliveryCheck>;
  readonly own: Map<number, Set<number>>;
  socket: LightSocket | null;
  /** It was not connected all the time: what it has missed is no loss. */
  wasAway: boolean;
}

const CONCURRENCY = 64;
const FAILURES_SHOWN = 5;
const RETRY_AFTER = 500;
/** Milliseconds. */
const QUIET_FOR = 1500;
const SETTLE_WITHIN = 30_000;
/** Characters of a message. */
const TEXT_LENGTH = 100;
/** Further addresses of the loopback network, for more ports. */
const SOURCES_MAX = 64;

const connect = new Latency();
const confirm = new Latency();
const delivery = new Latency();
const participants: Participant[] = [];
const indexOf = new Map<string, number>();
const seconds: Second[] = [];
const refused: Record<string, number> = {};
const totals = { sent: 0, confirmed: 0, unanswered: 0, skipped: 0, socketsLost: 0, behind: 0 };
let current: Second = { sent: 0, confirmed: 0, delivered: 0 };
let lastDelivery = 0;
let source = 1;
let stormOver: number | null = null;
let tokens: ReturnType<typeof createTokens>;
let opening: OpenOrder;

const now = () => performance.timeOrigin + performance.now();
const say = (report: Report) => void process.send?.(report);

function enlist(order: OpenOrder): void {
  for (const [index, id] of order.ids.entries()) {
    indexOf.set(id, index);
  }
  const mine = new Map<number, Participant>();
  for (let index = order.worker; index < order.cast.sockets; index += order.workers) {
    mine.set(index, {
      index,
      conversations: [],
      checks: new Map(),
      own: new Map(),
      socket: null,
      wasAway: false,
    });
  }
  for (const conversation of order.ids.keys()) {
    for (const member of membersOf(order.cast, conversation)) {
      const participant = mine.get(member);
      participant?.conversations.push(conversation);
      participant?.checks.set(conversation, new DeliveryCheck());
      participant?.own.set(conversation, new Set());
    }
  }
  participants.push(...mine.values());
}

function hear(participant: Participant, name: string, json: string): void {
  if (name !== 'receive_message') {
    return;
  }
  const { conversationId, seq, content } = JSON.parse(json);
  const conversation = indexOf.get(conversationId);
  if (conversation === undefined) {
    return;
  }
  lastDelivery = performance.now();
  current.delivered += 1;
  participant.checks.get(conversation)?.take(seq);
  delivery.record(now() - Number.parseFloat(content));
}

async function open(participant: Participant): Promise<void> {
  const { targets, cast } = opening;
  const url = targets[participant.index % targets.length] ?? '';
  const token = await tokens(userOf(cast, participant.index));
  const began = performance.now();
  participant.socket = await LightSocket.open({
    url,
    token,
    localAddress: source === 1 ? undefined : `127.0.0.${source}`,
    onEvent: (name, json) => hear(participant, name, json),
    onClose: () => {
      participant.socket = null;
      participant.wasAway = true;
      totals.socketsLost += 1;
      void comeBack(participant);
    },
  });
  connect.record(performance.now() - began);
}

/** Until it has succeeded, or `attempts` times. */
async function openPatiently(participant: Participant, attempts: number): Promise<string | null> {
  for (let attempt = 1; ; attempt += 1) {
    const from = source;
    try {
      await open(participant);
      return null;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRNOTAVAIL' && from < SOURCES_MAX) {
        source = Math.max(source, from + 1);
      } else if (attempt >= attempts) {
        return message;
      }
      await pause(RETRY_AFTER * (0.5 + Math.random()) * Math.min(attempt, 20));
    }
  }
}

async function comeBack(participant: Participant): Promise<void> {
  await pause(Math.random() * 1000);
  await openPatiently(participant, 100);
}

async function openAll(order: OpenOrder): Promise<void> {
  opening = order;
  tokens = createTokens(order.rest, order.secret);
  enlist(order);
  const failures: string[] = [];
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      while (next < participants.length) {
        const index = next;
        next += 1;
        await pause(Math.max(0, began + (index * 1000) / order.ramp - performance.now()));
        const failure = await openPatiently(participants[index] as Participant, 5);
        if (failure !== null && failures.length < FAILURES_SHOWN) {
          failures.push(failure);
        }
      }
    }),
  );
  say({
    kind: 'opened',
    sockets: participants.filter(({ socket }) => socket !== null).length,
    seconds: (performance.now() - began) / 1000,
    connect: connect.encode(),
    failures,
  });
}

function sendOne(participant: Participant, due: number): void {
  const { conversations, socket } = participant;
  const conversation = conversations[Math.floor(Math.random() * conversations.length)] ?? 0;
  if (socket === null) {
    totals.skipped += 1;
    return;
  }
  totals.sent += 1;
  totals.unanswered += 1;
  current.sent += 1;
  const content = `${due.toFixed(3)} `.padEnd(TEXT_LENGTH, 'x');
  socket.emit('send_message', { conversationId: opening.ids[conversation], content }, (json) => {
    totals.unanswered -= 1;
    const { success, message, error } = JSON.parse(json);
    if (success === true) {
      // From when it was due, not from when this process got round to it.
      confirm.record(now() - due);
      totals.confirmed += 1;
      current.confirmed += 1;
      participant.own.get(conversation)?.add(message.seq);
    } else {
      const code = String(error?.code ?? 'UNKNOWN');
      refused[code] = (refused[code] ?? 0) + 1;
    }
  });
}

async function sendAll({ from, duration, rate, storm }: SendOrder): Promise<void> {
  const senders = participants.filter(({ conversations }) => conversations.length > 0);
  // The first message comes when everybody is ready.
  const clock = setInterval(() => {
    seconds.push(current);
    const open = participants.filter(({ socket }) => socket !== null).length;
    say({ kind: 'progress', open, second: current });
    current = { sent: 0, confirmed: 0, delivered: 0 };
  }, 1000);
  const storming = storm ? strike(from + duration / 2) : Promise.resolve();
  if (senders.length > 0) {
    for (const arrival of arrivals(rate, duration)) {
      const due = from + arrival;
      for (let left = due - now(); left > 0; left = due - now()) {
        await pause(left);
      }
      totals.behind = Math.max(totals.behind, now() - due);
      sendOne(senders[Math.floor(Math.random() * senders.length)] as Participant, due);
    }
  }
  await pause(Math.max(0, from + duration - now()));
  await storming;
  await settle();
  clearInterval(clock);
  seconds.push(current);
  say({ kind: 'settled' });
}

/** Every socket is cut at once; resolves when all are back. */
async function strike(moment: number): Promise<void> {
  await pause(Math.max(0, moment - now()));
  const began = performance.now();
  const open = participants.filter(({ socket }) => socket !== null);
  for (const { socket } of open) {
    socket?.terminate();
  }
  do {
    await pause(20);
  } while (open.some(({ socket }) => socket === null) && performance.now() - began < 120_000);
  stormOver = performance.now() - began;
}

async function settle(): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN;
  lastDelivery = performance.now();
  while (performance.now() < deadline) {
    await pause(50);
    const isQuiet = performance.now() - lastDelivery > QUIET_FOR;
    if (isQuiet && (totals.unanswered === 0 || totals.socketsLost > 0)) {
      return;
    }
  }
}

function check(stored: readonly number[]): void {
  const sums = { expected: 0, delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
  const confirmedSeqs = new Map<number, number[]>();
  for (const { checks, own, wasAway } of participants) {
    for (const [conversation, heard] of checks) {
      const mine = own.get(conversation) ?? new Set();
      const all = confirmedSeqs.get(conversation) ?? [];
      all.push(...mine);
      confirmedSeqs.set(conversation, all);
      sums.delivered += heard.received;
      sums.duplicated += heard.duplicated;
      sums.reordered += heard.reordered;
      if (!wasAway) {
        const lost = countLost(heard, stored[conversation] ?? 0, mine);
        sums.lost += lost;
        sums.expected += heard.received + lost;
      }
    }
  }
  const { user, system } = process.cpuUsage();
  say({
    kind: 'checked',
    ...totals,
    ...sums,
    refused,
    confirmedSeqs: [...confirmedSeqs],
    cpu: (user + system) / 1e6,
    stormOver,
    confirm: confirm.encode(),
    delivery: delivery.encode(),
    seconds,
  });
}

process.on('message', (order: Order) => {
  const failed = (error: Error) => say({ kind: 'failed', message: error.message });
  if (order.kind === 'open') {
    openAll(order).catch(failed);
  } else if (order.kind === 'send') {
    sendAll(order).catch(failed);
  } else {
    check(order.stored);
  }
});
process.on('disconnect', () => process.exit());
