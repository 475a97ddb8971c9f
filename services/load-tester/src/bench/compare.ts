import { cpuSeconds, memoryBytes } from '../process-figures.ts';
import { conversationOf, memberOf, messageIn } from './cast.ts';
import { type Audience, costOfDeliveries, type Pattern } from './deliveries.ts';
import type { Disturbance } from './disturbance.ts';
import { type Contestant, comesToRest, type Laboratory } from './laboratory.ts';
import { median, passes } from './pace.ts';
import { startFloor } from './servers.ts';

/** A cost, in the unit that the name says, and what it is compared with. Medians of rounds. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly plain: number;
  /** The bare writes, where there are any. */
  readonly floor: number | null;
  /** Median of ours ÷ plain of each round. */
  readonly ratio: number;
}

export interface Extent {
  readonly rounds: number;
  readonly quick: boolean;
  readonly disturbance: Disturbance;
}

/** Rooms, members of each, messages a second in all rooms together. */
const rooms = [
  { rooms: 100, members: 10, rate: 500, moreRounds: 0 },
  // The one that there is a target for.
  { rooms: 1, members: 1000, rate: 10, moreRounds: 2 },
  { rooms: 1, members: 10_000, rate: 1, moreRounds: 0 },
] as const;
/**
 * Milliseconds of a light round: a whole interval of Engine.IO's pings, which come in one heap as
 * the sockets did.
 */
const LIGHT_ROUND = 25_000;
/** Bytes of the header of the WebSocket frame. */
const FRAME_HEADER = 4;

function resultOf(
  name: string,
  unit: string,
  rounds: readonly { ours: number; plain: number; floor?: number }[],
): Result {
  const floors = rounds.flatMap(({ floor }) => floor ?? []);
  return {
    name,
    unit,
    ours: median(rounds.map(({ ours }) => ours)),
    plain: median(rounds.map(({ plain }) => plain)),
    floor: floors.length === 0 ? null : median(floors),
    ratio: median(rounds.map(({ ours, plain }) => ours / plain)),
  };
}

/** CPU time for each delivered message: few messages, and more than the loop turns. */
export async function compareDeliveries(
  laboratory: Laboratory,
  extent: Extent,
  note: (line: string) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const { rooms: count, members, rate, moreRounds } of extent.quick
    ? rooms.slice(0, 2)
    : rooms) {
    const title = `rooms of ${members.toLocaleString('en')}`;
    note(`${title}: starting`);
    await using ours = await laboratory.start('ours');
    await using plain = await laboratory.start('plain');
    await using floor = await startFloor(frameBytes());
    const audiences = {
      ours: await ours.fill(`ours ${members}`, count, members),
      plain: await plain.fill(`plain ${members}`, count, members),
      floor: await fillFloor(laboratory, floor, count * members, members),
    };
    const seconds = (extent.quick ? 5000 : LIGHT_ROUND) / 1000;
    const light: Pattern = { burst: 1, bursts: rate * seconds, interval: 1000 / rate };
    const saturated: Pattern = { burst: 50 * count, bursts: count === 1 ? 3 : 1, interval: 0 };
    // Everything has been compiled then, the way of a ping too.
    await roundOf(laboratory, audiences, extent.quick ? { ...light, bursts: 10 } : light);
    const roundCount = extent.rounds + (extent.quick ? 0 : moreRounds);
    for (const [kind, pattern] of [
      ['light', light],
      ['saturated', saturated],
    ] as const) {
      const rounds = [];
      const roundsOf = kind === 'light' ? roundOf : turnsOf;
      for (let round = 0; round < roundCount; round += 1) {
        rounds.push(
          await extent.disturbance.keepAway(() => roundsOf(laboratory, audiences, pattern), note),
        );
        note(`${title}, ${kind}: round ${round + 1} of ${roundCount}`);
      }
      const rated = kind === 'light' ? ` at ${rate} messages/s` : ' in bursts';
      results.push(resultOf(`${title}${rated}`, 'µs CPU per delivery', rounds));
    }
    for (const { group } of Object.values(audiences)) {
      laboratory.crowd.close(group);
    }
  }
  return results;
}

type Audiences = Readonly<Record<Contestant | 'floor', Audience>>;

/** All at the same time, a part of the interval apart: what else the machine does meets all. */
async function roundOf({ crowd }: Laboratory, audiences: Audiences, pattern: Pattern) {
  const { plain, ours, floor } = audiences;
  const began = performance.now();
  const costs = await Promise.all(
    [plain, ours, floor].map(async (audience, index) => {
      await passes(began + (index * pattern.interval) / 3);
      return costOfDeliveries(crowd, audience, pattern);
    }),
  );
  return named(costs);
}

/** One after the other: each has the machine to itself for as long as it can use it. */
async function turnsOf({ crowd }: Laboratory, audiences: Audiences, pattern: Pattern) {
  const costs = [];
  for (const audience of [audiences.plain, audiences.ours, audiences.floor]) {
    costs.push(await costOfDeliveries(crowd, audience, pattern));
  }
  return named(costs);
}

function named([plain = 0, ours = 0, floor = 0]: readonly number[]) {
  return { plain, ours, floor };
}

function frameBytes(): number {
  const event = `42["receive_message",${JSON.stringify(messageIn(conversationOf(0), 1))}]`;
  return Buffer.byteLength(event) + FRAME_HEADER;
}

async function fillFloor(
  { crowd }: Laboratory,
  floor: Awaited<ReturnType<typeof startFloor>>,
  count: number,
  members: number,
): Promise<Audience> {
  const group = `floor ${members}`;
  await crowd.openBare(group, { port: floor.port, count, frameBytes: frameBytes() });
  return {
    group,
    pids: [floor.pid],
    rooms: count / members,
    membersPerRoom: members,
    send: (room) => floor.broadcast(room * members, members),
  };
}

/** CPU time of the server for one connection: WebSocket, token, rooms. */
export async function compareConnects(
  laboratory: Laboratory,
  extent: Extent,
  note: (line: string) => void,
): Promise<Result[]> {
  const count = extent.quick ? 300 : 2000;
  await using ours = await laboratory.start('ours');
  await using plain = await laboratory.start('plain');
  const members = Array.from({ length: count }, (_, index) => memberOf(index % 100, index));
  const cost = async (kind: Contestant): Promise<number> => {
    const { urls, pids } = kind === 'ours' ? ours : plain;
    const group = `${kind} connects`;
    const before = await cpuSeconds(pids);
    await laboratory.crowd.open(group, { urls, members, concurrency: 32 });
    await comesToRest(pids);
    const used = (await cpuSeconds(pids)) - before;
    laboratory.crowd.close(group);
    await comesToRest(pids);
    return (used * 1e6) / count;
  };
  // The first one pays for compiling.
  await cost('plain');
  await cost('ours');
  const rounds = [];
  for (let round = 0; round < extent.rounds; round += 1) {
    rounds.push(
      await extent.disturbance.keepAway(
        async () => ({ plain: await cost('plain'), ours: await cost('ours') }),
        note,
      ),
    );
    note(`connects: round ${round + 1} of ${extent.rounds}`);
  }
  return [resultOf('connect', 'µs CPU per connection', rounds)];
}

/** Memory of a server for one idle connection, after its garbage was collected. */
export async function compareMemory(
  laboratory: Laboratory,
  extent: Extent,
  note: (line: string) => void,
): Promise<Result[]> {
  const count = extent.quick ? 500 : 5000;
  const rounds = [];
  for (let round = 0; round < extent.rounds; round += 1) {
    const costs = { ours: 0, plain: 0 };
    for (const kind of ['plain', 'ours'] as const) {
      await using servers = await laboratory.start(kind, 1, { collectsGarbage: true });
      const [pid = 0] = servers.pids;
      // The first sockets pay for code and caches.
      await servers.fill(`${kind} first`, 1, 100);
      const before = await memoryAtRest(pid);
      await servers.fill(`${kind} idle`, 100, count / 100);
      costs[kind] = ((await memoryAtRest(pid)) - before) / count / 1024;
      laboratory.crowd.close(`${kind} first`);
      laboratory.crowd.close(`${kind} idle`);
    }
    rounds.push(costs);
    note(`memory: round ${round + 1} of ${extent.rounds}`);
  }
  return [resultOf('idle connection', 'KiB', rounds)];
}

async function memoryAtRest(pid: number): Promise<number> {
  for (let times = 0; times < 2; times += 1) {
    process.kill(pid, 'SIGUSR2');
    await comesToRest([pid]);
  }
  return memoryBytes(pid);
}

export interface ScaleResult {
  readonly kind: Contestant;
  readonly gateways: number;
  /** µs of CPU time of all gateways together for each delivery. */
  readonly cost: number;
  /** The same, of one gateway of that kind beside them. */
  readonly alone: number;
  /** Median of the rounds: against the one gateway of the same round. */
  readonly ratio: number;
}

/** What is compared with one of its kind. */
const SCALES = [
  { kind: 'ours', gateways: 2 },
  { kind: 'ours', gateways: 4 },
  { kind: 'ours', gateways: 8 },
  { kind: 'plain', gateways: 8 },
] as const;
/** Messages of one turn, 25 ms apart: in two turns there is each socket's ping once. */
const SCALE_TURN = 500;
/** A gateway of eight has an eighth of the deliveries by which code gets hot. */
const SCALE_WARM_UP = 2000;
const BLOCKS = 2;

/**
 * The same room of 1,000 on one gateway, and spread over more. Each size is there together with one
 * gateway only, since processes that wait cost those that work: in turns of one, more, more, one, the
 * pings of the sockets come once on each side. All are started anew for each round: how a process
 * lies in memory is luck.
 */
export async function compareScales(
  laboratory: Laboratory,
  extent: Extent,
  note: (line: string) => void,
): Promise<ScaleResult[]> {
  const [turn, warmUp, blocks] = extent.quick ? [50, 50, 1] : [SCALE_TURN, SCALE_WARM_UP, BLOCKS];
  const results: ScaleResult[] = [];
  for (const { kind, gateways } of extent.quick ? SCALES.slice(0, 1) : SCALES) {
    const pairs: { one: number; more: number }[] = [];
    for (let round = 0; round < extent.rounds; round += 1) {
      await using one = await audienceOn(laboratory, kind, 1);
      await using more = await audienceOn(laboratory, kind, gateways);
      const cost = ({ audience }: typeof one, bursts: number) =>
        costOfDeliveries(laboratory.crowd, audience, { burst: 1, bursts, interval: 25 });
      await cost(one, warmUp);
      await cost(more, warmUp);
      for (let block = 0; block < blocks; block += 1) {
        const [first, second, third, fourth] = await extent.disturbance.keepAway(
          async () => [
            await cost(one, turn),
            await cost(more, turn),
            await cost(more, turn),
            await cost(one, turn),
          ],
          note,
        );
        pairs.push({ one: mean(first, fourth), more: mean(second, third) });
      }
      note(`scaling out, ${gateways} ${kind}: round ${round + 1} of ${extent.rounds}`);
    }
    results.push({
      kind,
      gateways,
      cost: median(pairs.map(({ more }) => more)),
      alone: median(pairs.map(({ one }) => one)),
      ratio: median(pairs.map(({ one, more }) => more / one)),
    });
  }
  return results;
}

/** A room of 1,000 of their own. */
async function audienceOn(
  laboratory: Laboratory,
  kind: Contestant,
  gateways: number,
): Promise<AsyncDisposable & { readonly audience: Audience }> {
  await using started = new AsyncDisposableStack();
  const servers = started.use(await laboratory.start(kind, gateways));
  const group = `scale ${gateways}`;
  const audience = await servers.fill(group, 1, 1000, gateways);
  started.defer(() => laboratory.crowd.close(group));
  const kept = started.move();
  return { audience, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function mean(one = 0, other = 0): number {
  return (one + other) / 2;
}
