import { ChatError } from '@bambochat/client';
import { strings } from '../strings.ts';

export interface AccountFields {
  id: string;
  email: string;
  password: string;
}

/** What is wrong, by field; `form`: with none of them. */
export type AccountProblems = Partial<Record<keyof AccountFields | 'form', string>>;

/** Before anything is sent. Empty when all is right; a login is only checked for being there. */
export function checkAccount(fields: AccountFields, isNew: boolean): AccountProblems {
  const { session } = strings;
  const problems: AccountProblems = {};
  const password = fields.password.length;
  if (fields.id === '') {
    problems.id = session.usernameMissing;
  } else if (isNew && !/^[A-Za-z0-9_.-]{1,50}$/.test(fields.id)) {
    problems.id = session.usernameInvalid;
  }
  if (isNew && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(fields.email)) {
    problems.email = session.emailInvalid;
  }
  if (password === 0) {
    problems.password = session.passwordMissing;
  } else if (isNew && password < 8) {
    problems.password = session.passwordShort;
  } else if (isNew && password > 128) {
    problems.password = session.passwordLong;
  }
  return problems;
}

/** What the server says, at the field that it is about. */
export function explainRefusal(error: unknown): AccountProblems {
  const { session, problems } = strings;
  if (!(error instanceof ChatError)) {
    return { form: problems.other };
  }
  switch (error.code) {
    case 'AUTH_INVALID':
      return { password: session.wrong };
    case 'CONFLICT':
      return { id: session.usernameTaken };
    case 'RATE_LIMITED':
      return { form: session.tooMany };
    case 'UNAVAILABLE':
      return { form: session.unreachable };
    case 'OVERLOADED':
      return { form: problems.OVERLOADED };
    case 'VALIDATION': {
      const field = /\b(id|email|password)\b/.exec(error.message)?.[1];
      return { [field ?? 'form']: error.message };
    }
    default:
      return { form: problems.other };
  }
}
