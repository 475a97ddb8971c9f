import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Processes, processes } from '@bambochat/docs/configuration';
import { images } from '@bambochat/images';
import { obtainTool, ToolMissingError } from '@bambochat/testing';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type ComposeFile, composeFolder, readComposeFile } from './compose-file.fixture.ts';

const file = await readComposeFile();
const services = Object.entries(file.services);
/** Long-running processes of ours; `secret` ends at once. */
const ours = services.filter(([name, { build }]) => build !== undefined && name !== 'secret');

/** As Docker itself reads the file, or why it cannot be asked. */
async function readByDocker(): Promise<ComposeFile | string> {
  try {
    const { file: program, args } = await obtainTool('docker-compose');
    const { stdout } = await promisify(execFile)(
      program,
      [
        ...args,
        '-f',
        fileURLToPath(new URL('compose.yaml', composeFolder)),
        'config',
        '--format',
        'json',
      ],
      { timeout: 60_000, env: { ...process.env, JWT_SECRET: '' } },
    );
    return JSON.parse(stdout) as ComposeFile;
  } catch (error) {
    if (error instanceof ToolMissingError) {
      return error.message;
    }
    throw error;
  }
}

test('is read by Docker without complaint, and as these tests read it', async (context) => {
  const read = await readByDocker();
  if (typeof read === 'string') {
    return context.skip(read);
  }
  expect(Object.keys(read.services).toSorted()).toEqual(Object.keys(file.services).toSorted());
  for (const [name, { environment = {}, image, healthcheck, entrypoint, user }] of services) {
    expect(read.services[name]).toMatchObject({
      image,
      ...(user === undefined ? {} : { user }),
      ...(healthcheck?.test === undefined ? {} : { healthcheck: { test: healthcheck.test } }),
      ...(entrypoint === undefined ? {} : { entrypoint }),
    });
    const given = Object.entries(environment).filter(([, value]) => !value.includes('${'));
    expect(read.services[name]?.environment ?? {}).toMatchObject(Object.fromEntries(given));
  }
}, 60_000);

test('has every service, each built from its own sources', async () => {
  const folders = await readdir(new URL('../services', composeFolder));
  const running = new Set(folders);
  // A tool, for `npm run load`.
  running.delete('load-tester');
  expect(ours.map(([name]) => name).toSorted()).toEqual([...running].toSorted());
  for (const [name, { build, image }] of ours) {
    expect(build).toEqual({
      context: '..',
      dockerfile: 'deploy/Dockerfile',
      target: images[name]?.target ?? 'web',
      args: { SERVICE: name },
    });
    expect(image).toMatch(new RegExp(`^bambochat/${name}:`));
  }
});

describe.each(ours)('%s', (name, service) => {
  const schema = (processes as Processes)[name];

  test('gets every variable that it requires, and no other', () => {
    const { shape = {} } = schema ?? {};
    expect(Object.keys(shape)).toContain('PORT');
    const given = { ...service.environment };
    expect(Object.keys(given).filter((variable) => !(variable in shape))).toEqual([]);
    // The entrypoint puts the generated key in.
    if ('JWT_SECRET' in given) {
      given.JWT_SECRET = 'a key that was generated, of 32 bytes and more';
    }
    const read = z.object(shape as z.ZodRawShape).safeParse(given);
    expect(read.error?.issues).toBeUndefined();
    expect('JWT_SECRET' in shape).toBe('JWT_SECRET' in given);
  });

  test('is stopped no earlier than it gives up by itself', () => {
    const stopTimeout = Number(service.environment?.STOP_TIMEOUT ?? 25_000);
    expect(Number.parseInt(service.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(
      stopTimeout,
    );
  });

  test('reaches the back ends that its addresses name, and waits for them', () => {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      if (!/^(MONGODB|NATS|REDIS)_URL$/.test(variable)) {
        continue;
      }
      const { hostname } = new URL(value);
      expect(file.services[hostname]?.networks).toEqual(
        expect.arrayContaining([expect.toSatisfy((n) => service.networks?.includes(n) ?? false)]),
      );
      expect(service.depends_on?.[hostname]).toEqual({ condition: 'service_healthy' });
    }
  });

  test('has nothing that it could write to, no rights and no root', () => {
    expect(service).toMatchObject({ cap_drop: ['ALL'], user: '65532:65532' });
    expect((service.volumes ?? []).filter((volume) => !volume.endsWith(':ro'))).toEqual([]);
  });
});

describe.each(services)('%s', (_name, service) => {
  test('is bounded, looked after and hardened', () => {
    const { limits } = service.deploy?.resources ?? {};
    expect(limits).toEqual({
      cpus: expect.any(String),
      memory: expect.stringMatching(/^\d+[MG]$/),
    });
    expect(service.read_only).toBe(true);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.logging?.options['max-size']).toBeDefined();
    expect(service.restart).toBe(service.healthcheck?.disable ? 'no' : 'unless-stopped');
    expect(service.healthcheck?.disable ?? service.healthcheck?.test?.[0]).toSatisfy(
      (check) => check === true || check === 'CMD',
    );
  });

  test('is of one version', () => {
    expect(service.image).toMatch(/:v?\d+\.\d+\.\d+(-alpine)?$/);
  });

  test('is reachable from this machine alone, if at all', () => {
    for (const port of service.ports ?? []) {
      expect(port).toMatch(/^127\.0\.0\.1:/);
      // A port of a container that is only in the closed network would lead nowhere.
      expect(service.networks?.some((name) => file.networks[name]?.internal !== true)).toBe(true);
    }
  });

  test('waits for what exists and can be waited for', () => {
    for (const [awaited, { condition }] of Object.entries(service.depends_on ?? {})) {
      const { healthcheck, restart } = file.services[awaited] ?? {};
      expect(restart, awaited).toBeDefined();
      expect(condition).toBe(
        healthcheck?.disable ? 'service_completed_successfully' : 'service_healthy',
      );
    }
  });

  test('gets files and volumes that there are', () => {
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) {
        expect(existsSync(new URL(source, composeFolder)), source).toBe(true);
      } else {
        expect(Object.keys(file.volumes)).toContain(source);
      }
    }
  });
});

test('Prometheus finds its rules, and every service by its name', async () => {
  const text = await readFile(new URL('prometheus/prometheus.yml', composeFolder), 'utf8');
  const { rule_files, scrape_configs } = parse(text) as {
    rule_files: string[];
    scrape_configs: { dns_sd_configs?: { names: string[] }[] }[];
  };
  const { volumes = [], networks = [] } = file.services.prometheus ?? {};
  for (const rules of rule_files) {
    expect(volumes).toContain(`./prometheus/${rules}:/etc/prometheus/${rules}:ro`);
  }
  const asked = scrape_configs.flatMap((job) => job.dns_sd_configs?.[0]?.names ?? []);
  expect(asked.toSorted()).toEqual(ours.map(([name]) => name).toSorted());
  for (const name of asked) {
    expect(file.services[name]?.networks?.some((network) => networks.includes(network))).toBe(true);
  }
});

test('no secret is in the file', async () => {
  const text = await readFile(new URL('compose.yaml', composeFolder), 'utf8');
  expect(text).not.toMatch(/password|JWT_SECRET: (?!\$\{JWT_SECRET:-\})/i);
});
