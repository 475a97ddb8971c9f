import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { defaults, deriveCapacity } from './derive-capacity.ts';
import { type UnitCosts, unitCosts } from './unit-costs.ts';

/** Everything costs 100 µs or KiB, so that rows can be reckoned by hand. */
const round: UnitCosts = {
  ...(Object.fromEntries(
    Object.keys(unitCosts).map((name) => [name, 100]),
  ) as unknown as UnitCosts),
  gatewayPerIdleSocket: 1,
};
const assumed = {
  ...defaults,
  users: 864_000,
  devices: 2,
  messagesPerDay: 50,
  peakFactor: 2,
  groupShare: 0.5,
  groupMembers: 10,
  friendsOnline: 5,
  sessionSeconds: 1728,
  utilisation: 0.5,
};

describe('what a deployment needs', () => {
  const { rows, limits } = deriveCapacity(assumed, round);
  const needed = Object.fromEntries(rows.map(({ what, value }) => [what, value]));

  test('is what the assumptions say, times what one costs', () => {
    expect(needed).toMatchObject({
      sockets: 1_728_000,
      messages: 1000,
      // Five others and the sender, with two devices each, but for the one that sends.
      'copies of a message': 11,
      deliveries: 11_000,
      connects: 1000,
      'status events': 20_000,
      // Of 87 gateways half of the messages go to 3.93 (four sockets), half to 17.96 (twenty).
      'gateways that a message goes to': expect.closeTo(10.945, 2),
      // (11,000 + 20,000 + 1000 + 10,945 + 1000) × 100 µs + 1,728,000 × 1 µs
      'gateways, CPU': expect.closeTo(6.1226, 3),
      'gateway pods': 87,
      'message-services, CPU': 0.1,
      'message-service pods': 2,
    });
  });

  test('what has the least room is named first, with what to do', () => {
    const used = limits.map((limit) => limit.used);
    expect(used).toEqual([...used].sort((one, other) => other - one));
    expect(limits.every(({ remedy }) => remedy.length > 10)).toBe(true);
  });

  test('ten times as many users need ten times as much, and a room is never on more gateways than it has sockets', () => {
    const { rows: more } = deriveCapacity({ ...assumed, users: 8_640_000 }, round);
    const of = (name: string) => more.find(({ what }) => what === name)?.value ?? 0;
    expect(of('message-services, CPU')).toBeCloseTo(1, 6);
    expect(of('gateways that a message goes to')).toBeLessThan(0.5 * 4 + 0.5 * 20);
  });
});

describe('npm run capacity', () => {
  const program = fileURLToPath(new URL('main.ts', import.meta.url));
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--no-warnings', program, ...args]);

  test('prints both tables, for as many users as it is told', async () => {
    const { stdout } = await run('--users', '1000000', '--markdown');
    expect(stdout).toContain('| sockets | 1,200,000 |');
    expect(stdout).toContain('| users | 1,000,000 |');
    expect(stdout).toContain('| what there is one of | 1,000,000 |');
    const { stdout: several } = await run('--users', '1000,2000');
    expect(several).toMatch(/^sockets +1,200 +2,400 /m);
    const { stdout: json } = await run('--users', '1000000', '--devices', '1', '--json');
    expect(JSON.parse(json).capacities[0].rows[1]).toMatchObject({
      what: 'sockets',
      value: 1_000_000,
    });
  });

  test.for([
    ['--users', 'many'],
    ['--pods', '3'],
  ])('%s %s is refused', async (args) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 64 });
  });
});
