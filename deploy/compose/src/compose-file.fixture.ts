import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

export interface ComposeService {
  readonly image: string;
  readonly build?: { context: string; dockerfile: string; args: Record<string, string> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly security_opt?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: { test?: readonly string[]; disable?: boolean };
  readonly logging?: { options: Record<string, string> };
  readonly stop_grace_period?: string;
  readonly deploy?: { replicas?: number; resources?: { limits?: Record<string, string> } };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** The folder that paths of the file start from. */
export const composeFolder = new URL('../../', import.meta.url);

/** With anchors and merges worked out, and without what `x-…` keeps for them. */
export async function readComposeFile(): Promise<ComposeFile> {
  const text = await readFile(new URL('compose.yaml', composeFolder), 'utf8');
  return parse(text, { merge: true }) as ComposeFile;
}
