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

/**
 * Characters that could forge or disguise a text that is shown (attack A09): C0, DEL and C1, those that separate lines
 * or change the direction of text, and half a surrogate pair on its own.
 */
const unsafe =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;

/**
 * Makes a text safe to show: unsafe characters are written as `\uXXXX`.
 *
 * @param kept characters that are safe in this place, such as line ends in HTML
 */
export function escapeUnsafe(text: string, kept = ''): string {
  return text.replace(unsafe, (character) =>
    kept.includes(character) ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Makes a text safe for a log, and bounds its length.
 *
 * @param longest how many UTF-16 units of the text are kept
 */
export function printable(text: string, longest = 128): string {
  return escapeUnsafe(text.slice(0, longest));
}
