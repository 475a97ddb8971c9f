import { z } from 'zod';

/** Characters are Unicode code points: an emoji counts once, however UTF-16 stores it. */
export function countCharacters(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      count -= 1;
      index += 1;
    }
  }
  return count;
}

/**
 * A string that every store keeps as it is: no lone surrogates, which UTF-8 cannot carry and which
 * would come back as U+FFFD.
 */
export const wellFormedString = z
  .string()
  .refine((text) => text.isWellFormed(), { error: 'must be well-formed Unicode', abort: true });

export const CONTENT_MAX_CHARACTERS = 4000;

/** Message text: 1–4000 characters after trimming, kept exactly as it was sent. */
export const contentSchema = wellFormedString
  // Cheap bound first, so that megabytes are refused without being walked.
  .refine((text) => text.length <= CONTENT_MAX_CHARACTERS * 4, {
    error: `must have at most ${CONTENT_MAX_CHARACTERS} characters`,
    abort: true,
  })
  .refine((text) => countCharacters(text.trim()) <= CONTENT_MAX_CHARACTERS, {
    error: `must have at most ${CONTENT_MAX_CHARACTERS} characters`,
  })
  .refine((text) => text.trim().length > 0, { error: 'must not be empty' })
  .meta({
    description: `1 to ${CONTENT_MAX_CHARACTERS} characters (code points) after trimming; kept exactly`,
    minLength: 1,
  });
