/** The body of a refusal in the type that its client accepts. It is the same whatever the cause. */

type Type = 'text/html' | 'application/json' | 'text/plain';

/** The types by what a media range names; a range that covers several gives the first that suits who asks so. */
const ranges: Readonly<Record<string, Type>> = {
  'text/html': 'text/html',
  'application/xhtml+xml': 'text/html',
  'application/json': 'application/json',
  'application/problem+json': 'application/json',
  'application/*': 'application/json',
  'text/plain': 'text/plain',
  'text/*': 'text/plain',
  '*/*': 'text/plain',
};

/**
 * The type that a client likes best, by its Accept field (RFC 9110 section 12.5.1): the one of highest weight, and among
 * equals the first.
 *
 * @param accept undefined if there is none: then, and where it names nothing that there is, it is text
 */
export function preferredType(accept: string | undefined): Type {
  let best: Type = 'text/plain';
  let bestWeight = 0;
  for (const part of (accept ?? '').split(',')) {
    const [range = '', ...parameters] = part.split(';');
    const type = ranges[range.trim().toLowerCase()];
    const weight = type === undefined ? 0 : weightOf(parameters);
    if (type === undefined || weight <= bestWeight) continue;
    best = type;
    bestWeight = weight;
  }
  return best;
}

function weightOf(parameters: readonly string[]): number {
  for (const parameter of parameters) {
    const weight = /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(parameter)?.[1];
    if (weight !== undefined) return Number(weight);
  }
  return 1;
}

/**
 * The body of a refusal, with its Content-Type.
 *
 * @param text status and reason phrase, as in `401 Unauthorized`
 */
export function refusalBody(
  text: string,
  accept: string | undefined,
): { readonly type: string; readonly body: string } {
  const type = preferredType(accept);
  const line = text.trim();
  switch (type) {
    case 'text/html':
      return {
        type: `${type}; charset=utf-8`,
        body: `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${line}</title>\n<h1>${line}</h1>\n</html>\n`,
      };
    case 'application/json':
      return { type: `${type}; charset=utf-8`, body: `{"status":${line.slice(0, 3)},"error":"${line.slice(4)}"}\n` };
    case 'text/plain':
      return { type: `${type}; charset=utf-8`, body: text };
  }
}
