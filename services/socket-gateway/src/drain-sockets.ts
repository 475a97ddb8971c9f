import { type Connection, cutOff, sendAway, stopListeningTo } from './raw-web-socket.ts';

export interface DrainPace {
  /** Connections that are sent away in a second at most, unless `spread` demands more. */
  rate: number;
  /** Milliseconds over which all of them are sent away at most; 0: at once. */
  spread: number;
}

/** Milliseconds from one batch to the next; half of it is jitter. */
const BATCH_INTERVAL = 100;
const LOOK_AGAIN_AFTER = 10;

/**
 * Sends all connections away so that their clients come back by themselves, elsewhere. In batches,
 * in no particular order: the gateways that take them are not to get all in the same moment. Those
 * for which `isBusy`, because something that they sent waits for its confirmation, go last, as
 * soon as it has come or after `patience` ms.
 *
 * Resolves when all are gone; whoever does not answer within `farewell` ms is cut off.
 */
export async function drainSockets(options: {
  connections: () => Iterable<Connection>;
  isBusy: (connection: Connection) => boolean;
  pace: DrainPace;
  patience: number;
  farewell: number;
}): Promise<void> {
  const { connections, isBusy, pace } = options;
  const waiting = shuffled([...connections()]);
  const perMillisecond = Math.max(pace.rate / 1000, waiting.length / pace.spread);
  const busy: Connection[] = [];
  while (waiting.length > 0) {
    const interval = BATCH_INTERVAL * (0.5 + Math.random());
    for (const connection of waiting.splice(0, Math.ceil(perMillisecond * interval))) {
      if (isBusy(connection)) {
        stopListeningTo(connection);
        busy.push(connection);
      } else {
        sendAway(connection);
      }
    }
    if (waiting.length > 0) {
      await pause(interval);
    }
  }
  await sendAwayWhenConfirmed(busy, isBusy, options.patience);
  await partFrom(connections, options.farewell);
}

async function sendAwayWhenConfirmed(
  busy: Connection[],
  isBusy: (connection: Connection) => boolean,
  patience: number,
): Promise<void> {
  const deadline = performance.now() + patience;
  let left = busy;
  while (left.length > 0 && performance.now() < deadline) {
    await pause(LOOK_AGAIN_AFTER);
    const stillBusy: Connection[] = [];
    for (const connection of left) {
      if (isBusy(connection)) {
        stillBusy.push(connection);
      } else {
        sendAway(connection);
      }
    }
    left = stillBusy;
  }
  for (const connection of left) {
    sendAway(connection);
  }
}

async function partFrom(connections: () => Iterable<Connection>, farewell: number): Promise<void> {
  const deadline = performance.now() + farewell;
  // Some may have come while the others went.
  for (const connection of connections()) {
    sendAway(connection);
  }
  while (performance.now() < deadline && !isEmpty(connections())) {
    await pause(LOOK_AGAIN_AFTER);
  }
  for (const connection of [...connections()]) {
    cutOff(connection);
  }
}

function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}

function isEmpty(items: Iterable<unknown>): boolean {
  return items[Symbol.iterator]().next().done === true;
}

function shuffled<Item>(items: Item[]): Item[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [items[last], items[other]] = [items[other] as Item, items[last] as Item];
  }
  return items;
}
