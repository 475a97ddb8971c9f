import { AppError } from '@bambochat/protocol';
import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';

const ISSUES_SHOWN = 3;

/** `participantIds.0: must be …`; a part that is wrong as a whole is named itself, as `body: …`. */
function describeIssues(part: string, issues: readonly z.core.$ZodIssue[]): string {
  return issues
    .slice(0, ISSUES_SHOWN)
    .map((issue) => {
      const field = issue.path.length > 0 ? issue.path.map(String).join('.') : part;
      return `${field}: ${issue.message}`;
    })
    .join('; ');
}

/** Checks a part of a request with its zod schema; what the schema does not name is dropped. */
export const validateRequestPart: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  return (data: unknown) => {
    const result = schema.safeParse(data);
    if (result.success) {
      return { value: result.data };
    }
    const message = describeIssues(httpPart ?? 'request', result.error.issues);
    return { error: new AppError('VALIDATION', message) };
  };
};
