const literal = /^[^\s.*>]+(\.[^\s.*>]+)*$/;
const pattern = /^(\*|[^\s.*>]+)(\.(\*|[^\s.*>]+))*(\.>)?$|^>$/;

/**
 * A malformed subject is a bug of the caller; a NATS server answers it by closing the connection of
 * the whole process, so it must not get that far.
 */
export function assertSubject(subject: string): void {
  if (!literal.test(subject)) throw new TypeError(`"${subject}" is not a subject`);
}

export function assertSubjectPattern(subject: string): void {
  if (!pattern.test(subject)) throw new TypeError(`"${subject}" is not a subject pattern`);
}

/** Tells whether a subject matches a pattern with `*` for one token and `>` for the rest. */
export function subjectMatcher(subjectPattern: string): (subject: string) => boolean {
  assertSubjectPattern(subjectPattern);
  if (literal.test(subjectPattern)) return (subject) => subject === subjectPattern;
  const wanted = subjectPattern.split('.');
  const open = wanted.at(-1) === '>';
  return (subject) => {
    const tokens = subject.split('.');
    if (open ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
    return wanted.every((want, index) => want === '*' || want === '>' || want === tokens[index]);
  };
}
