import { waitFor } from '@bambochat/testing';
import { describe, expect, it } from 'vitest';
import { startServiceProcess } from './service-process.ts';
import { fixtureCommand, isRunning, testSurroundings } from './service-process-fixture.ts';

describe('a service process', () => {
  it('is ready when it says so, and tells where it listens', async () => {
    using surroundings = testSurroundings();
    const service = await startServiceProcess(fixtureCommand(), surroundings);
    expect(await (await fetch(service.url)).text()).toBe(String(service.pid));
    service.signal('SIGTERM');
    expect(await service.exited).toEqual({ code: 0, signal: null });
  });

  it('logs under its name, without what is below the threshold', async () => {
    using surroundings = testSurroundings({ threshold: 30 });
    const service = await startServiceProcess(fixtureCommand(), surroundings);
    service.signal('SIGTERM');
    await service.exited;
    expect(surroundings.lines.map(({ instance, msg }) => [instance, msg])).toEqual([
      ['fixture-1', 'service ready'],
      ['fixture-1', 'service stopped'],
    ]);
  });

  it('is ready also when nobody wants to see that', async () => {
    using surroundings = testSurroundings({ threshold: Number.POSITIVE_INFINITY });
    const service = await startServiceProcess(fixtureCommand(), surroundings);
    service.signal('SIGKILL');
    expect(await service.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(surroundings.lines).toEqual([]);
  });

  it('that does not start says why', async () => {
    using surroundings = testSurroundings();
    await expect(startServiceProcess(fixtureCommand('refuse'), surroundings)).rejects.toThrow(
      /^fixture-1 ended with exit status 78\. .*SECRET: is required/s,
    );
    expect(surroundings.lines.at(-1)).toMatchObject({
      instance: 'fixture-1',
      level: 40,
      output: '  SECRET: is required',
    });
  });

  it('that cannot be run at all says so', async () => {
    using surroundings = testSurroundings();
    const command = { ...fixtureCommand(), entry: '/nowhere/main.ts' };
    await expect(startServiceProcess(command, surroundings)).rejects.toThrow(/nowhere/);
  });

  it('that does not become ready is killed', async () => {
    using surroundings = testSurroundings({ threshold: 0, startTimeout: 2000 });
    const start = startServiceProcess(fixtureCommand('silent'), surroundings);
    await expect(start).rejects.toThrow(/fixture-1 was not ready within 2000 ms/);
    for (const { pid } of surroundings.lines) {
      expect(isRunning(Number(pid))).toBe(false);
    }
  });

  it('that is not wanted any more is killed', async () => {
    using surroundings = testSurroundings({ threshold: 0 });
    const start = startServiceProcess(fixtureCommand('silent'), surroundings);
    start.catch(() => {});
    await waitFor(() => surroundings.lines.length > 0);
    surroundings.abort();
    await expect(start).rejects.toThrow(/is not wanted any more/);
    expect(isRunning(Number(surroundings.lines[0]?.pid))).toBe(false);
    await expect(startServiceProcess(fixtureCommand(), surroundings)).rejects.toThrow();
  });
});
