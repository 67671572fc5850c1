/** Checks text from outside for characters that must not be in a name, a header field or a log line. */

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f]/;

/** Whether a text contains a control character: C0, DEL or C1 (attack A09). */
export function hasControlCharacter(text: string): boolean {
  return control.test(text);
}

/** Whether a text contains half a surrogate pair on its own. Such a half is not a character and has no UTF-8 form. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** C0, C1, and the characters that separate lines or change the direction of text (attack A09). */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes a text safe for a log: characters that could forge or disguise a line are escaped.
 *
 * @param longest how many UTF-16 units of the text are kept
 */
export function printable(text: string, longest = 128): string {
  return text
    .slice(0, longest)
    .replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
