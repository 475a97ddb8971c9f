/** The JSON text of a value, or undefined when it has none (`undefined`, cycles, BigInt). */
export function encodeJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
