/** One of eight tints, the same for an id wherever it appears. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const character of id) {
    hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  }
  return hash % 8;
}
