import { describe, expect, it } from 'vitest';
import { mergeDocuments, type OpenApiDocument } from './merged-openapi.ts';

function document(parts: Partial<OpenApiDocument>): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: { title: 'one', version: '0.1.0' },
    paths: {},
    components: {},
    tags: [],
    ...parts,
  };
}

describe('merged API documents', () => {
  it('hold the methods of both under a path that they share', () => {
    const merged = mergeDocuments([
      document({ paths: { '/x': { get: 1 } }, tags: [{ name: 'a' }] }),
      document({ paths: { '/x': { post: 2 }, '/y': { get: 3 } }, tags: [{ name: 'a' }] }),
    ]);
    expect(merged.paths).toEqual({ '/x': { get: 1, post: 2 }, '/y': { get: 3 } });
    expect(merged.tags).toEqual([{ name: 'a' }]);
    expect(merged.info.title).toBe('BamboChat');
  });

  it('do not hide a contradiction', () => {
    const schema = (type: string) =>
      document({ components: { schemas: { User: { type } }, securitySchemes: {} } });
    expect(() => mergeDocuments([schema('object'), schema('object')])).not.toThrow();
    expect(() => mergeDocuments([schema('object'), schema('string')])).toThrow(/schemas User/);
  });
});
