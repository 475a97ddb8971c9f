import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, freePort, waitFor } from '@bambochat/testing';

const rules = (name: string) => fileURLToPath(new URL(`../../prometheus/${name}`, import.meta.url));

export const noPrometheus =
  'no Prometheus on this machine: install it (Debian: apt-get install prometheus)';

/** One series at one moment. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Rule {
  readonly name: string;
  readonly query: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus with the repository's rules, which asks once a second. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string;
  /** @throws Error when Prometheus cannot make sense of the expression */
  query(expression: string): Promise<Sample[]>;
  rules(): Promise<Rule[]>;
}

/**
 * @param jobs addresses by the name of the job
 * @returns undefined when there is no Prometheus here; {@link noPrometheus} says what helps
 */
export async function startPrometheus(
  jobs: Readonly<Record<string, readonly string[]>>,
): Promise<PrometheusServer | undefined> {
  const program = await findProgram('prometheus', process.env);
  if (program === undefined) {
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'bambochat-prometheus-'));
  const configuration = join(folder, 'prometheus.json');
  await writeFile(
    configuration,
    // JSON is YAML.
    JSON.stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules('recording.yaml'), rules('alerts.yaml')],
      scrape_configs: Object.entries(jobs).map(([job_name, urls]) => ({
        job_name,
        static_configs: [{ targets: urls.map((url) => new URL(url).host) }],
      })),
    }),
  );
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    program,
    [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const endWithTests = () => child.kill('SIGKILL');
  process.once('exit', endWithTests);
  const stop = async () => {
    await ended(child);
    process.off('exit', endWithTests);
    await rm(folder, { recursive: true, force: true });
  };

  async function ask<Data>(path: string, parameters: Record<string, string> = {}): Promise<Data> {
    const body = new URLSearchParams(parameters);
    const asked = parameters.query === undefined ? {} : { method: 'POST', body };
    const answer = (await (await fetch(`${url}${path}`, asked)).json()) as {
      status: string;
      error?: string;
      data: Data;
    };
    if (answer.status !== 'success') {
      throw new Error(`Prometheus refuses ${parameters.query ?? path}: ${answer.error}`);
    }
    return answer.data;
  }

  try {
    await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, {
      timeout: 20_000,
      describe: 'Prometheus to be ready',
    });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    url,
    async query(query) {
      const { result } = await ask<{
        result: { metric: Record<string, string>; value: [number, string] }[];
      }>('/api/v1/query', { query });
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
    async rules() {
      const { groups } = await ask<{ groups: { rules: Rule[] }[] }>('/api/v1/rules');
      return groups.flatMap((group) => group.rules);
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
}
