/** Option `schemesFor`: which of the schemes one request is offered, and may use. */
import { OptionError } from '../foundation/errors.ts';
import { shown } from '../foundation/option-values.ts';
import { isThenable } from '../foundation/thenable.ts';

/** The names that were chosen for a request. A request that is not in here may use every scheme. */
const choices = new WeakMap<object, ReadonlySet<string>>();

const cure = 'Give a function that returns at once: an array with some of the names in "schemes", or an empty one.';

/**
 * Chooses the schemes of a request.
 *
 * @param exchange the request, as it is verified
 * @param given what `schemesFor` returned
 * @param offered the schemes that are offered at all
 * @throws OptionError if it is not an array of names that are offered
 */
export function chooseSchemes(exchange: object, given: unknown, offered: readonly string[]): void {
  if (isThenable(given)) {
    given.then(undefined, () => undefined);
    throw new OptionError('schemesFor', 'returned a promise', cure);
  }
  if (!Array.isArray(given)) throw new OptionError('schemesFor', `returned a value that ${shown(given)}`, cure);
  const names = given.map((name: unknown) => {
    if (typeof name === 'string' && offered.includes(name)) return name;
    throw new OptionError(
      'schemesFor',
      `returned ${typeof name === 'string' ? JSON.stringify(name.slice(0, 100)) : `a value of type ${typeof name}`}, which is not offered`,
      `Offered are: ${offered.join(', ')}. Return some of these.`,
    );
  });
  choices.set(exchange, new Set(names));
}

/** Whether a request may use a scheme that is offered. */
export function isChosen(exchange: object, name: string): boolean {
  return choices.get(exchange)?.has(name) ?? true;
}
