import { ChatError } from '@bambochat/client';
import { strings } from '../strings.ts';

/** What to tell a person about something that failed. */
export function describeProblem(error: unknown): string {
  if (!(error instanceof ChatError)) {
    return strings.problems.other;
  }
  const { problems } = strings;
  if (Object.hasOwn(problems, error.code)) {
    return problems[error.code as keyof typeof problems];
  }
  // The server's words for what is wrong with the input: they are made for people.
  return error.code === 'VALIDATION' || error.code === 'CONFLICT' ? error.message : problems.other;
}
