import { type ComponentProps, useId } from 'react';

interface FieldProps extends Omit<ComponentProps<'input'>, 'id'> {
  label: string;
  hint?: string;
  problem?: string | undefined;
}

/** A line to write in, with its label; what is wrong takes the place of the hint, so nothing moves. */
export function Field({ label, hint, problem, children, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-line">
        <input
          {...input}
          id={id}
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-hint`}
          dir={input.dir ?? 'auto'}
        />
        {children}
      </div>
      <p
        id={`${id}-hint`}
        className={problem === undefined ? 'hint' : 'problem'}
        role={problem === undefined ? undefined : 'alert'}
      >
        {problem ?? hint ?? ''}
      </p>
    </div>
  );
}
