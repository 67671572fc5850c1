/** The tokens of vectors.json whose expected value is one token: bytes by id. */
import { readFileSync } from 'node:fs';

interface Vector {
  readonly id: string;
  readonly expected: unknown;
}

const { vectors } = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

/** Ids of the vectors that match. */
export function vectorIds(pattern: RegExp): readonly string[] {
  return vectors.map(({ id }) => id).filter((id) => pattern.test(id));
}

/** A fresh copy of a token; hexadecimal and base64 are told apart by their alphabet. */
export function vector(id: string): Uint8Array {
  const expected = vectors.find((candidate) => candidate.id === id)?.expected;
  if (typeof expected !== 'string') throw new Error(`vectors.json has no token ${JSON.stringify(id)}`);
  // Out of Node's shared pool, so that a view that leaves its token is noticed.
  return Uint8Array.from(Buffer.from(expected, /^(?:[0-9a-f]{2})+$/.test(expected) ? 'hex' : 'base64'));
}
