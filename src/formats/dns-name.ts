/** DNS names of domains and computers in options. */
import { OptionError } from '../foundation/errors.ts';
import { shown, text } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';

/** RFC 1035 section 2.3.4. */
const MAX_CHARACTERS = 255;

/** Reads an option that is a DNS name. */
export const dnsName: Reader<string> = (value, option) => {
  const name = text(value, option);
  if (name.length > MAX_CHARACTERS || /[\\/\p{Surrogate}]/u.test(name)) {
    throw new OptionError(option, shown(value), `Give a DNS name of at most ${MAX_CHARACTERS} characters.`);
  }
  return name;
};
