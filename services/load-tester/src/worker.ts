/* One of the processes that hold the sockets of a run; `workers.ts` tells it what to do. */
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import { DeliveryCheck } from './delivery-check.ts';
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
  /** The last of a conversation is for the connection that is open now. */
  readonly checks: Map<number, DeliveryCheck[]>;
  readonly own: Map<number, Set<number>>;
  /** Messages of each conversation that were sent and not confirmed: they may be stored. */
  readonly unsure: Map<number, number>;
  /** Answers that may still come on the connection that is open. */
  awaited: number;
  socket: LightSocket | null;
  /** By the storm, and not by the server. */
  wasCut: boolean;
}

const CONCURRENCY = 64;
const FAILURES_SHOWN = 5;
const RETRY_AFTER = 500;
/** Milliseconds. */
const QUIET_FOR = 1500;
const STORM_WITHIN = 120_000;
const SETTLE_WITHIN = 30_000;
/** Messages that are sent before answers are looked at, when this process is behind. */
const IN_ROW_MAX = 50;
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
/** Of the second that runs. */
const recent = {
  sent: 0,
  confirmed: 0,
  delivered: 0,
  confirm: new Latency(),
  delivery: new Latency(),
};
let lastDelivery = 0;
let source = 1;
let stormOver: number | null = null;
let tokens: ReturnType<typeof createTokens>;
let opening: OpenOrder;

/** Of a message as JSON text, without reading all of it: no text of a run has such names in it. */
function fieldOf(json: string, name: string): string {
  const begin = json.indexOf(`"${name}":`) + name.length + 3;
  return json[begin] === '"'
    ? json.slice(begin + 1, json.indexOf('"', begin + 1))
    : json.slice(begin, begin + 12);
}

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
      unsure: new Map(),
      awaited: 0,
      socket: null,
      wasCut: false,
    });
  }
  for (const conversation of order.ids.keys()) {
    for (const member of membersOf(order.cast, conversation)) {
      const participant = mine.get(member);
      participant?.conversations.push(conversation);
      participant?.checks.set(conversation, [new DeliveryCheck({ cameBack: false })]);
      participant?.own.set(conversation, new Set());
    }
  }
  participants.push(...mine.values());
}

function hear(participant: Participant, name: string, json: string): void {
  if (name !== 'receive_message') {
    return;
  }
  const conversation = indexOf.get(fieldOf(json, 'conversationId'));
  if (conversation === undefined) {
    return;
  }
  lastDelivery = performance.now();
  recent.delivered += 1;
  participant.checks
    .get(conversation)
    ?.at(-1)
    ?.take(Number.parseInt(fieldOf(json, 'seq'), 10));
  const latency = now() - Number.parseFloat(fieldOf(json, 'content'));
  delivery.record(latency);
  recent.delivery.record(latency);
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
      participant.awaited = 0;
      totals.socketsLost += Number(!participant.wasCut);
      participant.wasCut = false;
      for (const checks of participant.checks.values()) {
        checks.push(new DeliveryCheck({ cameBack: true }));
      }
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
    senders: senders().length,
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
  participant.awaited += 1;
  recent.sent += 1;
  const { own, unsure } = participant;
  unsure.set(conversation, (unsure.get(conversation) ?? 0) + 1);
  // Nothing else in the run has the same text.
  const content = `${due.toFixed(3)} ${participant.index}-${totals.sent} `.padEnd(TEXT_LENGTH, 'x');
  socket.emit('send_message', { conversationId: opening.ids[conversation], content }, (json) => {
    totals.unanswered -= 1;
    participant.awaited -= 1;
    const { success, message, error } = JSON.parse(json);
    if (success === true) {
      // From when it was due, not from when this process got round to it.
      confirm.record(now() - due);
      recent.confirm.record(now() - due);
      totals.confirmed += 1;
      recent.confirmed += 1;
      own.get(conversation)?.add(message.seq);
      unsure.set(conversation, (unsure.get(conversation) ?? 0) - 1);
    } else {
      const code = String(error?.code ?? 'UNKNOWN');
      refused[code] = (refused[code] ?? 0) + 1;
    }
  });
}

function closeSecond(): Second {
  const { sent, confirmed, delivered } = recent;
  const second = {
    sent,
    confirmed,
    delivered,
    confirmP99: recent.confirm.percentile(99),
    deliveryP99: recent.delivery.percentile(99),
  };
  Object.assign(recent, { sent: 0, confirmed: 0, delivered: 0 });
  recent.confirm.reset();
  recent.delivery.reset();
  seconds.push(second);
  return second;
}

function senders(): Participant[] {
  return participants.filter(({ conversations }) => conversations.length > 0);
}

async function sendAll(order: SendOrder): Promise<void> {
  const { from, duration, storm } = order;
  const mine = senders();
  const rate = order.senders === 0 ? 0 : (order.rate * mine.length) / order.senders;
  const clock = setInterval(() => {
    const second = closeSecond();
    const open = participants.filter(({ socket }) => socket !== null).length;
    say({ kind: 'progress', open, second });
  }, 1000);
  const storming = storm ? strike(from + duration / 2) : Promise.resolve();
  let inRow = 0;
  for (const arrival of arrivals(rate, duration)) {
    const due = from + arrival;
    inRow += 1;
    for (let left = due - now(); left > 0; left = due - now()) {
      inRow = 0;
      await pause(left);
    }
    if (inRow >= IN_ROW_MAX) {
      inRow = 0;
      await breathe();
    }
    totals.behind = Math.max(totals.behind, now() - due);
    sendOne(mine[Math.floor(Math.random() * mine.length)] as Participant, due);
  }
  await pause(Math.max(0, from + duration - now()));
  await storming;
  await settle();
  clearInterval(clock);
  closeSecond();
  say({ kind: 'settled' });
}

/** Every socket is cut at once; resolves when all are back. */
async function strike(moment: number): Promise<void> {
  await pause(Math.max(0, moment - now()));
  const began = performance.now();
  const open = participants.filter(({ socket }) => socket !== null);
  for (const participant of open) {
    participant.wasCut = true;
    participant.socket?.terminate();
  }
  do {
    if (performance.now() - began > STORM_WITHIN) {
      const away = open.filter(({ socket }) => socket === null).length;
      throw new Error(`${away} sockets did not come back within ${STORM_WITHIN / 1000} s`);
    }
    await pause(20);
  } while (open.some(({ socket, wasCut }) => socket === null || wasCut));
  stormOver = performance.now() - began;
}

async function settle(): Promise<void> {
  const deadline = performance.now() + SETTLE_WITHIN;
  lastDelivery = performance.now();
  while (performance.now() < deadline) {
    await pause(50);
    const isQuiet = performance.now() - lastDelivery > QUIET_FOR;
    if (isQuiet && participants.every(({ awaited }) => awaited === 0)) {
      return;
    }
  }
}

function check(stored: readonly number[]): void {
  const sums = { expected: 0, delivered: 0, lost: 0, duplicated: 0, reordered: 0 };
  const confirmedSeqs = new Map<number, number[]>();
  for (const { checks, own, unsure } of participants) {
    for (const [conversation, connections] of checks) {
      const mine = own.get(conversation) ?? new Set();
      const all = confirmedSeqs.get(conversation) ?? [];
      all.push(...mine);
      confirmedSeqs.set(conversation, all);
      for (const heard of connections) {
        sums.delivered += heard.received;
        sums.duplicated += heard.duplicated;
        sums.reordered += heard.reordered;
      }
      // Only the last connection was there until the end.
      const unheard = connections.at(-1)?.lost(stored[conversation] ?? 0, mine) ?? 0;
      // Its own that are stored and were never confirmed to it, it was not sent either.
      const lost = Math.max(0, unheard - (unsure.get(conversation) ?? 0));
      sums.lost += lost;
      sums.expected += (connections.at(-1)?.received ?? 0) + lost;
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
