/** Configuration of the documents, made to run here: with the ports and paths of a test in place of those that are printed. */

/**
 * A text of a document with other words in it.
 *
 * @param changes what stands there, and what is to stand there instead
 * @throws Error where something does not stand there, so that a document cannot change unnoticed
 */
export function replaced(text: string, changes: Readonly<Record<string, string>>): string {
  let result = text;
  for (const [from, to] of Object.entries(changes)) {
    if (!result.includes(from)) throw new Error(`${JSON.stringify(from)} is not in\n${text}`);
    result = result.replaceAll(from, to);
  }
  return result;
}
