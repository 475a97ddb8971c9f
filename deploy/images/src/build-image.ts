import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import dockerignore from '@balena/dockerignore';
import { type Dockerfile, expand, readDockerfile, type Stage, type Step } from './dockerfile.ts';
import { buildSandbox, searchPath } from './sandbox.ts';

const run = promisify(execFile);
// Its types name a default export, which CommonJS has not.
const ignore = dockerignore as unknown as typeof dockerignore.default;

/** What a stage has become. */
export interface Image {
  /** A folder with what its instructions put above the base. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string | null;
  readonly owners: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly healthcheck: readonly string[];
}

const scratch: Omit<Image, 'root'> = {
  env: {},
  workdir: '/',
  user: null,
  owners: {},
  volumes: [],
  entrypoint: [],
  cmd: [],
  healthcheck: [],
};

/**
 * Runs the instructions of deploy/Dockerfile for one image, in folders, by bubblewrap: this machine
 * stands for the base images. Stages that do not depend on SERVICE are built once.
 */
export class ImageBuilder implements AsyncDisposable {
  readonly #repository: string;
  readonly #bwrap: string;
  readonly #dockerfile: Dockerfile;
  readonly #folder: string;
  readonly #built = new Map<string, Promise<Image>>();

  private constructor(repository: string, bwrap: string, dockerfile: Dockerfile, folder: string) {
    this.#repository = repository;
    this.#bwrap = bwrap;
    this.#dockerfile = dockerfile;
    this.#folder = folder;
  }

  /** @param options.repository its root, the context of the build */
  static async open(options: { repository: string; bwrap: string }): Promise<ImageBuilder> {
    const file = join(options.repository, 'deploy', 'Dockerfile');
    const dockerfile = readDockerfile(await readFile(file, 'utf8'));
    const folder = await mkdtemp(join(tmpdir(), 'bambochat-images-'));
    return new ImageBuilder(options.repository, options.bwrap, dockerfile, folder);
  }

  /** @throws Error with the output of the step that failed. */
  build(target: string, service: string): Promise<Image> {
    const stage = this.#dockerfile.stages.get(target);
    if (stage === undefined) {
      throw new Error(`there is no stage ${target}`);
    }
    const key = this.#takesService(stage) ? `${target} ${service}` : target;
    const known = this.#built.get(key);
    if (known !== undefined) {
      return known;
    }
    const building = this.#buildStage(stage, service, join(this.#folder, key.replace(' ', '-')));
    this.#built.set(key, building);
    return building;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#built.values());
    await rm(this.#folder, { recursive: true, force: true });
  }

  #takesService(stage: Stage): boolean {
    const related = [
      stage.base,
      ...stage.steps.map((step) => (step.kind === 'COPY' ? step.from : null)),
    ];
    return (
      stage.steps.some((step) => step.kind === 'ARG' && step.name === 'SERVICE') ||
      related.some((name) => {
        const other = this.#dockerfile.stages.get(name ?? '');
        return other !== undefined && this.#takesService(other);
      })
    );
  }

  async #buildStage(stage: Stage, service: string, root: string): Promise<Image> {
    const base = this.#dockerfile.stages.has(stage.base)
      ? await this.build(stage.base, service)
      : null;
    await mkdir(root);
    if (base !== null) {
      await copyInto(`${base.root}/.`, root);
    }
    let image: Image = { ...(base ?? scratch), root };
    const args: Record<string, string> = {};
    for (const step of stage.steps) {
      if (step.kind === 'ARG') {
        const given = step.name === 'SERVICE' ? service : undefined;
        args[step.name] = given ?? step.value ?? this.#dockerfile.args[step.name] ?? '';
      } else {
        image = await this.#take(step, image, args, service);
      }
    }
    return image;
  }

  async #take(
    step: Exclude<Step, { kind: 'ARG' }>,
    image: Image,
    args: Readonly<Record<string, string>>,
    service: string,
  ): Promise<Image> {
    const filled = (text: string) => expand(text, { ...image.env, ...args });
    switch (step.kind) {
      case 'ENV':
        return { ...image, env: { ...image.env, [step.name]: filled(step.value ?? '') } };
      case 'WORKDIR':
        // That of the last stage exists only once its program has been copied.
        if (!step.value.endsWith('/current')) {
          await mkdir(join(image.root, step.value), { recursive: true });
        }
        return { ...image, workdir: step.value };
      case 'USER':
        return { ...image, user: step.value };
      case 'VOLUME':
        return { ...image, volumes: [...image.volumes, step.value] };
      case 'ENTRYPOINT':
        return { ...image, entrypoint: step.command, cmd: [] };
      case 'CMD':
        return { ...image, cmd: step.command };
      case 'HEALTHCHECK':
        return { ...image, healthcheck: step.command };
      case 'RUN':
        await this.#runStep(filledEnvironment(image, args), step.script, image);
        return image;
      case 'COPY':
        await this.#copy(step, image, service);
        return step.owner === null
          ? image
          : { ...image, owners: { ...image.owners, [step.target]: step.owner } };
      default:
        return step satisfies never;
    }
  }

  async #runStep(env: NodeJS.ProcessEnv, script: string, image: Image): Promise<void> {
    const sandbox = await buildSandbox(image);
    try {
      await run(this.#bwrap, [...sandbox, '/bin/sh', '-c', script], { env, maxBuffer: 2 ** 24 });
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
      throw new Error(`RUN ${script}\nfailed:\n${stdout}${stderr}`, { cause: error });
    }
  }

  async #copy(
    { from, sources, target }: Extract<Step, { kind: 'COPY' }>,
    image: Image,
    service: string,
  ): Promise<void> {
    const goal = join(image.root, target.startsWith('/') ? '' : image.workdir, target);
    for (const source of sources) {
      if (from === null) {
        await copyContext(join(this.#repository, source), goal);
      } else if (source === '/usr/local/bin/node') {
        await mkdir(dirname(goal), { recursive: true });
        await copyInto(process.execPath, goal);
      } else {
        const { root } = await this.build(from, service);
        const path = join(root, source);
        const whole = (await stat(path)).isDirectory();
        await mkdir(whole ? goal : dirname(goal), { recursive: true });
        await copyInto(whole ? `${path}/.` : path, goal);
      }
    }
  }
}

function filledEnvironment(
  image: Image,
  args: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  // npm_… say how the registry is reached from here.
  return { ...process.env, ...image.env, ...args, NODE_OPTIONS: '', PATH: searchPath(process.env) };
}

/** As `cp -a`: links stay links, times and modes stay. */
async function copyInto(source: string, target: string): Promise<void> {
  await run('cp', ['-a', source, target]);
}

/** What `docker build` would send: everything that .dockerignore does not name. */
async function copyContext(folder: string, target: string): Promise<void> {
  const rules = ignore().add(await readFile(join(folder, '.dockerignore'), 'utf8'));
  // Folders that no exception can be in: walking them takes long.
  const skipped = new Set(['node_modules', '.git', '.turbo']);
  const walk = async (from: string): Promise<void> => {
    for (const entry of await readdir(from, { withFileTypes: true })) {
      const path = join(from, entry.name);
      if (entry.isDirectory()) {
        if (!skipped.has(entry.name)) {
          await walk(path);
        }
      } else if (!rules.ignores(relative(folder, path))) {
        const copy = join(target, relative(folder, path));
        await mkdir(dirname(copy), { recursive: true });
        await cp(path, copy, { preserveTimestamps: true });
      }
    }
  };
  await walk(folder);
}
