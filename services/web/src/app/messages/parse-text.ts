/** A part of a message's text. Nothing but these is ever interpreted. */
export type TextPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'link'; readonly text: string; readonly url: string }
  | { readonly type: 'mention'; readonly text: string; readonly userId: string };

/** `http` and `https` addresses, and `@userId` as a word of its own. */
const SPECIAL =
  /(?<link>\bhttps?:\/\/[^\s<>"'`]+)|(?<![\p{L}\p{N}_.@/-])@(?<mention>[A-Za-z0-9_.-]{1,50})(?![\p{L}\p{N}@])/giu;
const SENTENCE_END = /[.,:;!?…]+$/;
const CLOSERS: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/**
 * Takes a text apart into plain text, links and mentions. Joined again, the parts are the text.
 *
 * @param isMember who can be mentioned; the id of nobody stays plain text
 */
export function parseText(text: string, isMember: (userId: string) => boolean): TextPart[] {
  const parts: TextPart[] = [];
  let done = 0;
  const addText = (end: number) => {
    if (end > done) {
      parts.push({ type: 'text', text: text.slice(done, end) });
    }
  };
  for (const match of text.matchAll(SPECIAL)) {
    const { link, mention } = match.groups ?? {};
    if (link !== undefined) {
      const trimmed = withoutSentenceEnd(link);
      const url = webAddress(trimmed);
      if (url !== null) {
        addText(match.index);
        parts.push({ type: 'link', text: trimmed, url });
        done = match.index + trimmed.length;
      }
    } else if (mention !== undefined) {
      const userId = memberIn(mention, isMember);
      if (userId !== null) {
        addText(match.index);
        parts.push({ type: 'mention', text: `@${userId}`, userId });
        done = match.index + userId.length + 1;
      }
    }
  }
  addText(text.length);
  return parts;
}

/** Whether a text mentions a user: `@userId` as a word of its own. */
export function mentions(text: string, userId: string): boolean {
  return (
    text.includes('@') &&
    parseText(text, (id) => id === userId).some(({ type }) => type === 'mention')
  );
}

/** An id may end in a dot; at the end of a sentence the one without it may be meant. */
function memberIn(word: string, isMember: (userId: string) => boolean): string | null {
  for (let id = word; id !== ''; id = id.slice(0, -1)) {
    if (isMember(id)) {
      return id;
    }
    if (!/[._-]$/.test(id)) {
      return null;
    }
  }
  return null;
}

function withoutSentenceEnd(link: string): string {
  let end = link.replace(SENTENCE_END, '');
  for (let opener = CLOSERS[end.at(-1) ?? '']; opener !== undefined; ) {
    const closer = end.at(-1) ?? '';
    if (end.split(opener).length >= end.split(closer).length) {
      break;
    }
    end = end.slice(0, -1).replace(SENTENCE_END, '');
    opener = CLOSERS[end.at(-1) ?? ''];
  }
  return end;
}

function webAddress(text: string): string | null {
  const url = URL.parse(text);
  const isWeb = url !== null && (url.protocol === 'https:' || url.protocol === 'http:');
  return isWeb && url.hostname !== '' ? url.href : null;
}
