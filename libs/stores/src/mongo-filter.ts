/**
 * A value to be matched exactly, for use in a filter. A string there is always compared; an object
 * that came in a string's place, such as `{ $gt: '' }`, would be an operator. Schemas refuse those
 * long before, and this is the wall behind them.
 *
 * @throws TypeError for anything but a string.
 */
export function exactly<Id extends string>(value: Id): Id {
  if (typeof value !== 'string') {
    throw new TypeError('Only a string can be matched in a filter');
  }
  return value;
}

/** One of several values, each matched exactly. @throws TypeError for anything but strings. */
export function oneOf<Id extends string>(values: readonly Id[]): { $in: Id[] } {
  return { $in: values.map(exactly) };
}
