/** NetBIOS names of computers and domains, MS-NBTE section 2.2.1: at most 15 characters; the 16th is a suffix. */
import { OptionError } from '../foundation/errors.ts';
import { shown, text } from '../foundation/option-values.ts';
import type { Reader } from '../foundation/option-values.ts';
import { hasLoneSurrogate } from '../foundation/text.ts';

const MAX_CHARACTERS = 15;

/**
 * The NetBIOS name of a host: its first label in upper case.
 *
 * @returns an empty string if no character of the label is allowed in such a name
 */
export function netBiosNameOf(host: string): string {
  const label = host.split('.', 1)[0] ?? '';
  return label
    .replace(/[^A-Za-z0-9-]/g, '')
    .slice(0, MAX_CHARACTERS)
    .toUpperCase();
}

/** Reads an option that is a NetBIOS name. */
export const netBiosName: Reader<string> = (value, option) => {
  const name = text(value, option);
  if (name.length > MAX_CHARACTERS || /[\\/:*?"<>|@.]/.test(name) || hasLoneSurrogate(name)) {
    const cure = 'Give the NetBIOS name, such as "CORP": at most 15 characters, none of . \\ / : * ? " < > | @.';
    throw new OptionError(option, shown(value), cure);
  }
  return name;
};
