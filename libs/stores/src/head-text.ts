/** What a head keeps of a message's text, in UTF-16 units. */
export const HEAD_TEXT_MAX = 4000;

/**
 * The text that a list of conversations shows. Whole for nearly every message: only text that is
 * padded with spaces or made of emoji can be longer. The cut never halves a character.
 */
export function headText(content: string): string {
  if (content.length <= HEAD_TEXT_MAX) {
    return content;
  }
  const cut = content.slice(0, HEAD_TEXT_MAX);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}
