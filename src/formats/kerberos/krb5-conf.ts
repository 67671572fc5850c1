/**
 * krb5.conf(5), as far as it is needed to find the line that a Kerberos library cannot read. libkrb5 of MIT tells
 * neither file nor line. The rules are those of its parser; what the settings mean is not read here.
 */

/** The first line that cannot be read. Lines count from 1. */
export interface Krb5ConfFault {
  readonly line: number;
  /** What is wrong with it. Repeats nothing of the line. */
  readonly problem: string;
}

/** A line that includes other files. */
export interface Krb5ConfInclude {
  readonly line: number;
  readonly directive: 'include' | 'includedir';
  /** Path of a file or of a folder. */
  readonly path: string;
}

const isInclude = /^(include|includedir)\s+(.*?)\s*$/;
/** A section: its name in brackets, perhaps marked as final. */
const isSection = /^\[[^\]]*\]\*?\s*$/;
/** Before the first section: has a module read the configuration in place of this file. Its file and a text for it. */
const isModule = /^module\s/;
const isWholeModule = /^module\s[^:]*:/;

/**
 * Reads a krb5.conf up to the first line that cannot be read.
 *
 * @returns the lines that include other files, in their order, and the fault if there is one
 */
export function inspectKrb5Conf(text: string): {
  readonly includes: readonly Krb5ConfInclude[];
  readonly fault: Krb5ConfFault | undefined;
} {
  const includes: Krb5ConfInclude[] = [];
  const lines = new Krb5ConfLines();
  // Lines with their ends: these count as spaces, and what follows the last one is a line only if it is not empty.
  const all = text.replace(/^\ufeff/, '').match(/[^\n]*\n|[^\n]+/g) ?? [];
  for (const [index, whole] of all.entries()) {
    const line = index + 1;
    const [, directive, path = ''] = isInclude.exec(whole) ?? [];
    if (directive === 'include' || directive === 'includedir') {
      includes.push({ line, directive, path });
      continue;
    }
    const problem = lines.read(whole);
    if (problem !== undefined) return { includes, fault: { line, problem } };
    if (lines.ended) break;
  }
  return { includes, fault: undefined };
}

/** Where the parser stands: before the first section, or how many braces deep, or at a brace that is due. */
class Krb5ConfLines {
  #begun = false;
  /** Whether the rest of the file is not read: a module takes its place. */
  ended = false;
  #depth = 0;
  #braceIsDue = false;

  /** Reads a line. @returns what is wrong with it */
  read(whole: string): string | undefined {
    if (!this.#begun) {
      if (isModule.test(whole)) {
        this.ended = true;
        return isWholeModule.test(whole) ? undefined : 'a module without a colon and a text after its file';
      }
      // Anything else may stand before the first section, which must begin at the beginning of its line.
      if (!whole.startsWith('[')) return undefined;
      this.#begun = true;
    }
    const line = whole.trim();
    if (this.#braceIsDue) {
      this.#braceIsDue = false;
      return line.startsWith('{') ? undefined : 'an opening brace is missing: the line before it ends with "="';
    }
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return undefined;
    if (line.startsWith('[')) return this.#section(line);
    if (line.startsWith('}')) {
      if (this.#depth === 0) return 'a closing brace without an opening one';
      this.#depth--;
      return undefined;
    }
    return this.#relation(line);
  }

  #section(line: string): string | undefined {
    if (this.#depth > 0) return 'a section inside braces: a closing brace is missing before it';
    return isSection.test(line) ? undefined : 'not the name of a section in brackets';
  }

  #relation(line: string): string | undefined {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
    if (name.trim() === '' || /\S\s+\S/.test(name)) return 'not of the form "name = value"';
    const trimmed = value.trim();
    if (trimmed === '') this.#braceIsDue = true;
    if (trimmed === '' || trimmed === '{') this.#depth++;
    return undefined;
  }
}
