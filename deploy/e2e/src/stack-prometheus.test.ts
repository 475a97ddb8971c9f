import { readFile } from 'node:fs/promises';
import { waitFor } from '@bambochat/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatConnection } from './chat-connection.ts';
import { createGroup, newPeople, online } from './person.ts';
import { noPrometheus, type PrometheusServer, startPrometheus } from './prometheus-server.ts';
import { type MemberKind, memberKinds, type StackTarget, startStack } from './stack-target.ts';
import { startStandalone } from './standalone-target.ts';
import { useTarget } from './target.ts';

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

/** Names of our metrics by the process that exports them, as METRICS.md says. */
const documented = new Map<string, Set<string>>();
for (const [, by = '', table = ''] of (await read('docs/generated/METRICS.md')).matchAll(
  /^## Exported by ([a-z, -]+)\n([^#]*)/gm,
)) {
  for (const process of by.split(', ')) {
    const names = documented.get(process) ?? new Set();
    documented.set(process, names);
    for (const [, name = ''] of table.matchAll(/^\| `(bambochat_\w+)`/gm)) {
      names.add(name);
    }
  }
}

async function exportedBy(url: string): Promise<string[]> {
  const body = await (await fetch(new URL('/metrics', url))).text();
  const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  return names.filter((name) => name.startsWith('bambochat_')).toSorted();
}

function documentedFor(process: string): string[] {
  return [...(documented.get('all') ?? []), ...(documented.get(process) ?? [])].toSorted();
}

/** What the panels of the dashboard ask. */
async function expressionsOfDashboard(): Promise<string[]> {
  const { panels } = JSON.parse(await read('grafana/dashboards/bambochat.json')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  return panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll('$__rate_interval', '1m')),
  );
}

describe('stack that Prometheus watches', () => {
  let stack: StackTarget;
  const target = useTarget(async () => {
    stack = await startStack();
    return stack;
  });
  let prometheus: PrometheusServer | undefined;
  let sockets: ChatConnection[] = [];
  let talking: Promise<void>;
  const enough = new AbortController();

  beforeAll(async () => {
    const kinds = Object.entries(memberKinds) as [MemberKind, string][];
    prometheus = await startPrometheus(
      Object.fromEntries(
        kinds.map(([kind, job]) => [job, stack.membersOf(kind).map(({ url }) => url)]),
      ),
    );
    const people = await newPeople(target(), 'watched', 2);
    const [ada, ben] = people;
    if (ada === undefined || ben === undefined) {
      throw new Error('two people were asked for');
    }
    const { _id } = await createGroup(ada, [ben]);
    sockets = await Promise.all(people.map((person, index) => online(target(), person, index)));
    const [sender] = sockets;
    talking = (async () => {
      while (!enough.signal.aborted) {
        await sender?.say(_id, 'is anybody counting?');
        await ada.page(_id);
      }
    })();
  });
  afterAll(async () => {
    enough.abort();
    await talking;
    for (const socket of sockets) {
      socket[Symbol.dispose]();
    }
    await prometheus?.[Symbol.asyncDispose]();
  });

  test.each(Object.entries(memberKinds) as [MemberKind, string][])(
    '%s export what METRICS.md says, and nothing else',
    async (kind, process) => {
      for (const { url } of stack.membersOf(kind)) {
        expect(await exportedBy(url)).toEqual(documentedFor(process));
      }
    },
  );

  test('connections, messages and every hop have figures', async (context) => {
    if (prometheus === undefined) {
      return context.skip(noPrometheus);
    }
    const { query } = prometheus;
    const figure = (expression: string, holds: (value: number) => boolean) =>
      waitFor(
        async () => {
          const samples = await query(expression);
          return samples.length > 0 && samples.every(({ value }) => holds(value));
        },
        { timeout: 30_000, describe: expression },
      );
    await figure('count(up == 1)', (up) => up === stack.members.length);
    await figure('bambochat:connections:sum', (connections) => connections === 2);
    await figure('bambochat:messages_stored:rate5m', (rate) => rate > 0);
    await figure('bambochat:deliveries:rate5m', (rate) => rate > 0);
    for (const hop of [
      'confirm_duration',
      'accept_duration',
      'command_age',
      'command_step_duration',
      'result_transit',
      'live_delay',
    ]) {
      await figure(`bambochat:${hop}_seconds:p99_5m`, (seconds) => seconds > 0);
    }
    // 16 partitions, told twice, counted once.
    await figure('count(max by (partition) (bambochat_commands_pending))', (n) => n === 16);
    await figure('bambochat_dependency_up', (up) => up === 1);
    await figure('sum(bambochat_http_request_duration_seconds_count{route="/messages"})', Boolean);
  });

  test('every panel and every rule can be asked, and on a good day nothing fires', async (context) => {
    if (prometheus === undefined) {
      return context.skip(noPrometheus);
    }
    const { query } = prometheus;
    const rules = await waitFor(
      async () => {
        const all = (await prometheus?.rules()) ?? [];
        return all.length > 0 && all.every(({ health }) => health !== 'unknown') && all;
      },
      { timeout: 20_000, describe: 'all rules to be worked out' },
    );
    expect((rules || []).filter(({ health }) => health !== 'ok')).toEqual([]);
    const panels = await expressionsOfDashboard();
    expect(panels.length).toBeGreaterThan(50);
    for (const expression of [...panels, ...(rules || []).map((rule) => rule.query)]) {
      expect(await query(expression), expression).toBeInstanceOf(Array);
    }
    expect(await query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});

describe('standalone', () => {
  const target = useTarget(() => startStandalone());

  test('exports what METRICS.md says, and nothing else', async () => {
    expect(await exportedBy(target().restUrl)).toEqual(documentedFor('standalone'));
  });
});
