import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

export interface SchemaCollection {
  /** The JSON Schema of what travels, with references to `#/components/schemas`. */
  add(schema: z.ZodType): JsonSchema;
  /** Everything referred to so far, by its id. */
  schemas(): Record<string, JsonSchema>;
}

/**
 * Turns zod schemas into those of AsyncAPI, which are JSON Schema draft 7 and a little more. Unknown
 * fields are allowed everywhere: receivers drop them, and shapes may grow.
 */
export function createSchemaCollection(): SchemaCollection {
  const shared = new Map<string, JsonSchema>();

  return {
    add(schema) {
      // In an object of its own, so that a schema with an id becomes a reference like all others.
      const { definitions, properties } = z.toJSONSchema(z.object({ it: schema }), {
        io: 'input',
        target: 'draft-7',
      });
      for (const [id, definition] of Object.entries(definitions ?? {})) {
        shared.set(id, withoutId(pointed(definition)));
      }
      const { it } = properties ?? {};
      return pointed(it);
    },
    schemas: () =>
      Object.fromEntries([...shared].toSorted(([a], [b]) => (a < b ? -1 : 1))) as Record<
        string,
        JsonSchema
      >,
  };
}

function pointed(schema: unknown): JsonSchema {
  return JSON.parse(
    JSON.stringify(schema).replaceAll('"#/definitions/', '"#/components/schemas/'),
  ) as JsonSchema;
}

function withoutId({ $id: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
