import { unavailable } from '@bambochat/protocol';
import { z } from 'zod';
import type { TargetPool } from './target-pool.ts';

const documentSchema = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  components: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
  tags: z.array(z.looseObject({ name: z.string() })).default([]),
});
export type OpenApiDocument = z.infer<typeof documentSchema>;

const FETCH_TIMEOUT = 5000;

/**
 * The interface of all REST services as one document.
 *
 * @throws AppError `UNAVAILABLE` while one kind of service does not answer.
 * @throws Error when two services describe the same thing differently.
 */
export async function mergedOpenApi(pools: readonly TargetPool[]): Promise<OpenApiDocument> {
  return mergeDocuments(await Promise.all(pools.map(fetchDocument)));
}

async function fetchDocument(pool: TargetPool): Promise<OpenApiDocument> {
  let cause: unknown;
  for (const target of pool.inOrder()) {
    try {
      const answer = await fetch(`${target.url}/openapi.json`, {
        signal: AbortSignal.timeout(FETCH_TIMEOUT),
      });
      return documentSchema.parse(await answer.json());
    } catch (error) {
      pool.suspect(target);
      cause = error;
    }
  }
  throw unavailable('The API document', cause);
}

/** @throws Error for a conflict: better no document than one that is wrong. */
export function mergeDocuments(documents: readonly OpenApiDocument[]): OpenApiDocument {
  const [first] = documents;
  if (first === undefined) {
    throw new Error('no document to merge');
  }
  return {
    openapi: first.openapi,
    info: {
      title: 'BamboChat',
      description: documents
        .flatMap(({ info }) => (typeof info.description === 'string' ? [info.description] : []))
        .join(' '),
      version: first.info.version,
    },
    paths: mergeTwoLevels(documents.map(({ paths }) => paths)),
    components: mergeTwoLevels(documents.map(({ components }) => components)),
    tags: [
      ...new Map(documents.flatMap(({ tags }) => tags).map((tag) => [tag.name, tag])).values(),
    ],
  };
}

type TwoLevels = Record<string, Record<string, unknown>>;

function mergeTwoLevels(parts: readonly TwoLevels[]): TwoLevels {
  const merged = new Map<string, Map<string, unknown>>();
  for (const [outer, entries] of parts.flatMap((part) => Object.entries(part))) {
    const into = merged.get(outer) ?? new Map<string, unknown>();
    merged.set(outer, into);
    for (const [inner, value] of Object.entries(entries)) {
      if (into.has(inner) && JSON.stringify(into.get(inner)) !== JSON.stringify(value)) {
        throw new Error(`two services describe ${outer} ${inner} differently`);
      }
      into.set(inner, value);
    }
  }
  return Object.fromEntries(
    [...merged].map(([outer, entries]) => [outer, Object.fromEntries(entries)]),
  );
}
