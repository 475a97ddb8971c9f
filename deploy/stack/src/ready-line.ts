/** A process of the stack; `pid` is null while it is down, and for a back end that is not ours. */
export interface Listing {
  readonly url: string;
  readonly pid: number | null;
}

export interface StackListing {
  readonly edge: { readonly url: string };
  readonly gateways: readonly Listing[];
  readonly messageServices: readonly Listing[];
  readonly historyServices: readonly Listing[];
  readonly directoryServices: readonly Listing[];
  readonly presenceServices: readonly Listing[];
  readonly webServices: readonly Listing[];
  readonly backends: {
    readonly mongodb: Listing;
    readonly redis: Listing;
    readonly nats: Listing;
  };
}

/** One line of JSON for programs: `{"ready":true, …}` and the listing. */
export function readyLine(stack: StackListing): string {
  return JSON.stringify({
    ready: true,
    edge: { url: stack.edge.url },
    gateways: stack.gateways.map(entry),
    messageServices: stack.messageServices.map(entry),
    historyServices: stack.historyServices.map(entry),
    directoryServices: stack.directoryServices.map(entry),
    presenceServices: stack.presenceServices.map(entry),
    webServices: stack.webServices.map(entry),
    backends: {
      mongodb: entry(stack.backends.mongodb),
      redis: entry(stack.backends.redis),
      nats: entry(stack.backends.nats),
    },
  });
}

/** The same for people: a table, and last the line that standalone prints too. */
export function readyTable(stack: StackListing): string {
  const named = (name: string, listings: readonly Listing[]) =>
    listings.map((listing, index) => [`${name}-${index + 1}`, listing] as const);
  const rows = [
    ...named('socket-gateway', stack.gateways),
    ...named('message-service', stack.messageServices),
    ...named('history-service', stack.historyServices),
    ...named('directory-service', stack.directoryServices),
    ...named('presence-service', stack.presenceServices),
    ...named('web', stack.webServices),
    ...Object.entries(stack.backends),
  ].map(([name, { url, pid }]) => [name, String(pid ?? '-'), withoutCredentials(url)] as const);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, pid, url]) => `${name.padEnd(width)}  ${pid.padStart(8)}  ${url}`);
  return [...lines, `BamboChat ready at ${stack.edge.url}`].join('\n');
}

function entry({ url, pid }: Listing): Listing {
  return { url: withoutCredentials(url), pid };
}

/** By pattern, because URL parsers refuse MongoDB's lists of hosts. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1');
}
