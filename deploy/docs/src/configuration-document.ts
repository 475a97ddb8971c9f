import { configSchema as directory } from '@bambochat/directory-service/config';
import { configSchema as history } from '@bambochat/history-service/config';
import { configSchema as message } from '@bambochat/message-service/config';
import { configSchema as presence } from '@bambochat/presence-service/config';
import { configSchema as gateway } from '@bambochat/socket-gateway/config';
import { configSchema as standalone } from '@bambochat/standalone/config';
import { configSchema as web } from '@bambochat/web/config';
import { z } from 'zod';

type Schema = z.core.$ZodType;
export type Processes = Readonly<
  Record<string, { readonly shape: Readonly<Record<string, Schema>> }>
>;

/** Everything that reads its configuration by `readConfig`. */
export const processes: Processes = {
  'socket-gateway': gateway,
  'message-service': message,
  'presence-service': presence,
  'history-service': history,
  'directory-service': directory,
  web,
  standalone,
};

interface Variable {
  readonly name: string;
  readonly meaning: string;
  readonly form: string;
  readonly fallback: string;
}

/**
 * Every environment variable: a section for each set of processes that read the same, in the order
 * in which the schemas name them.
 *
 * @throws Error when a variable has no description, or two processes describe it differently.
 */
export function configurationDocument(read: Processes): string {
  const variables = new Map<string, Variable & { usedBy: string[] }>();
  for (const [process, { shape }] of Object.entries(read)) {
    for (const [name, schema] of Object.entries(shape)) {
      const variable = describeVariable(name, schema);
      const known = variables.get(name);
      if (known === undefined) {
        variables.set(name, { ...variable, usedBy: [process] });
        continue;
      }
      const { usedBy, ...before } = known;
      if (JSON.stringify(before) !== JSON.stringify(variable)) {
        throw new Error(
          `${name} means one thing in ${usedBy.join(', ')} and another in ${process}`,
        );
      }
      usedBy.push(process);
    }
  }
  const sections = Map.groupBy(variables.values(), ({ usedBy }) => usedBy.join(', '));
  const all = Object.keys(read).join(', ');
  return [
    '<!-- Written by `npm run docs` (deploy/docs): change the sources, not this file. -->',
    '# Configuration',
    'By environment variables, read once at the start. One that is wrong or missing stops the start (exit status 78) and is named; its value is never shown. An empty variable counts as absent.',
    ...[...sections].map(([usedBy, group]) => section(usedBy === all ? 'all' : usedBy, group)),
    toolsSection,
  ].join('\n\n');
}

const toolsSection = `## Tools

\`npm run stack\` reads \`MONGODB_URL\`, \`NATS_URL\` and \`REDIS_URL\` too, and starts what is not given; it passes
all other variables on to the services. \`npm run load\` and \`npm run operate\` say with \`--help\` what they take.
`;

function section(usedBy: string, variables: readonly Variable[]): string {
  const rows = variables.map(({ name, fallback, form, meaning }) =>
    [`\`${name}\``, fallback, form, meaning].map((cell) => ` ${cell.replaceAll('|', '\\|')} `),
  );
  return [
    `## Read by ${usedBy}`,
    '',
    '| variable | default | form | meaning |',
    '| --- | --- | --- | --- |',
    ...rows.map((cells) => `|${cells.join('|')}|`),
  ].join('\n');
}

function describeVariable(name: string, schema: Schema): Variable {
  const layers = layersOf(schema);
  const meta = layers.map((layer) => z.globalRegistry.get(layer));
  const meaning = meta.find((found) => found?.description !== undefined)?.description;
  if (meaning === undefined) {
    throw new Error(`${name} has no description: add .describe(…) where it is defined`);
  }
  const form = meta.find((found) => found?.form !== undefined)?.form ?? formOf(layers);
  return { name, meaning, form, fallback: fallbackOf(layers) };
}

/** The schema and what is wrapped in it, outermost first. */
function layersOf(schema: Schema): Schema[] {
  const { def } = schema._zod as z.core.$ZodTypeInternals & {
    def: { innerType?: Schema; in?: Schema };
  };
  const inner = def.innerType ?? def.in;
  return inner === undefined ? [schema] : [schema, ...layersOf(inner)];
}

function formOf(layers: readonly Schema[]): string {
  const choice = layers.find((layer) => layer instanceof z.ZodEnum);
  return choice === undefined ? 'text' : choice.options.map((option) => `\`${option}\``).join(', ');
}

function fallbackOf(layers: readonly Schema[]): string {
  for (const layer of layers) {
    if (layer instanceof z.ZodPrefault || layer instanceof z.ZodDefault) {
      return `\`${layer.def.defaultValue}\``;
    }
    if (layer instanceof z.ZodOptional) {
      return 'none';
    }
  }
  return 'required';
}
