/** Text from outside: what must not stand in a name, a field or a line of a log. */

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether a text has a control character: C0, DEL or C1 (attack A09). */
export function hasControlCharacter(text: string): boolean {
  return control.test(text);
}

/** Whether half of a surrogate pair stands alone: no character, and no UTF-8. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** C0, C1, and the characters that separate lines or change the direction of text (attack A09). */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text that is fit for a log: what could forge or disguise a line is escaped.
 *
 * @param longest characters that are kept
 */
export function printable(text: string, longest = 128): string {
  return text
    .slice(0, longest)
    .replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
