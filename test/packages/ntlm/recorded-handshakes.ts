/** The recorded NTLM handshakes and constants of test/vectors/vectors.json, typed. */
import { readFileSync } from 'node:fs';

/** One row of vectors.json. */
export interface Vector {
  readonly id: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly expected: string;
}

const file = JSON.parse(readFileSync(new URL('../../vectors/vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

export const vectors: readonly Vector[] = file.vectors;

/** The row of an id. */
export function vector(id: string): Vector {
  const found = vectors.find((row) => row.id === id);
  if (found === undefined) throw new Error(`no vector ${id}`);
  return found;
}

export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Every NTLM message of the vectors, by id, whoever sent it. */
export function sampleMessages(): readonly { readonly name: string; readonly bytes: Uint8Array }[] {
  const samples: { name: string; bytes: Uint8Array }[] = [];
  const add = (name: string, bytes: Uint8Array): void => {
    if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'NTLMSSP\0') samples.push({ name, bytes });
  };
  for (const { id, inputs, expected } of vectors) {
    if (typeof expected === 'string') {
      if (/^[0-9a-f]+$/u.test(expected)) add(id, hex(expected));
      else if (/^[A-Za-z0-9+/]+=*$/u.test(expected)) add(id, Uint8Array.from(Buffer.from(expected, 'base64')));
    }
    for (const part of ['type1', 'type2']) if (inputs[part] !== undefined) add(`${id} ${part}`, hex(inputs[part]));
  }
  return samples;
}
