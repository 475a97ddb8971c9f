import { type Copy, DockerfileParser, type Env, type From, type Instruction } from 'dockerfile-ast';

/** One instruction, as far as the images need it; anything else is an error. */
export type Step =
  | { readonly kind: 'ARG'; readonly name: string; readonly value: string | null }
  | { readonly kind: 'ENV'; readonly name: string; readonly value: string | null }
  | { readonly kind: 'WORKDIR' | 'USER' | 'VOLUME'; readonly value: string }
  | {
      readonly kind: 'COPY';
      readonly from: string | null;
      readonly owner: string | null;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly kind: 'RUN'; readonly script: string }
  | { readonly kind: 'ENTRYPOINT' | 'CMD' | 'HEALTHCHECK'; readonly command: readonly string[] };

export interface Stage {
  readonly name: string;
  /** Another stage, or an image of a registry. */
  readonly base: string;
  readonly steps: readonly Step[];
}

export interface Dockerfile {
  /** The arguments before the first stage. */
  readonly args: Readonly<Record<string, string>>;
  readonly stages: ReadonlyMap<string, Stage>;
  /** Targets without a name are none; the last is built by default. */
  readonly last: string;
}

/** @throws Error that names an instruction that is not understood. */
export function readDockerfile(text: string): Dockerfile {
  const args: Record<string, string> = {};
  const stages = new Map<string, Stage & { steps: Step[] }>();
  let stage: (Stage & { steps: Step[] }) | undefined;
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const from = instruction as From;
      const name = from.getBuildStage();
      if (name === null) {
        throw new Error('a stage has no name');
      }
      stage = { name, base: from.getImage() ?? '', steps: [] };
      stages.set(name, stage);
      continue;
    }
    const steps = stepsOf(instruction);
    if (stage !== undefined) {
      stage.steps.push(...steps);
      continue;
    }
    for (const step of steps) {
      if (step.kind === 'ARG') {
        args[step.name] = step.value ?? '';
      }
    }
  }
  if (stage === undefined) {
    throw new Error('there is no stage');
  }
  return { args, stages, last: stage.name };
}

function stepsOf(instruction: Instruction): Step[] {
  const content = instruction.getArgumentsContent() ?? '';
  const kind = instruction.getKeyword();
  switch (kind) {
    case 'LABEL':
    case 'EXPOSE':
      return [];
    case 'ARG': {
      const [name = '', value] = content.split('=', 2);
      return [{ kind, name, value: value ?? null }];
    }
    case 'ENV':
      return (instruction as Env)
        .getProperties()
        .map((property) => ({ kind, name: property.getName(), value: property.getValue() }));
    case 'WORKDIR':
    case 'USER':
    case 'VOLUME':
      return [{ kind, value: content }];
    case 'COPY': {
      const copy = instruction as Copy;
      const flag = (name: string) =>
        copy
          .getFlags()
          .find((found) => found.getName() === name)
          ?.getValue() ?? null;
      const paths = copy.getArguments().map((argument) => argument.getValue());
      return [
        {
          kind,
          from: flag('from'),
          owner: flag('chown'),
          sources: paths.slice(0, -1),
          target: paths.at(-1) ?? '',
        },
      ];
    }
    case 'RUN':
      return [{ kind, script: content.replace(/^(--\S+\s+(?:\\\n\s*)?)+/, '') }];
    case 'ENTRYPOINT':
    case 'CMD':
      return [{ kind, command: execForm(kind, content) }];
    case 'HEALTHCHECK': {
      const command = /\bCMD\s+(\[.*\])\s*$/s.exec(content)?.[1];
      return [{ kind, command: command === undefined ? [] : execForm(kind, command) }];
    }
    default:
      throw new Error(`${kind} is not understood`);
  }
}

/** Other forms start a shell, which keeps SIGTERM for itself. */
function execForm(kind: string, content: string): string[] {
  try {
    return JSON.parse(content) as string[];
  } catch {
    throw new Error(`${kind} is not in the exec form: ${content}`);
  }
}

/** `${NAME}` and `$NAME`. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}|\$(\w+)/g, (_, braced: string, bare: string) => {
    return variables[braced ?? bare] ?? '';
  });
}
