/** Digest credentials cut short, changed and made up: never accepted, never an internal error. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DigestAccepted } from '../../../src/accounts/account-source.ts';
import { parseDigestFields } from '../../../src/formats/digest/fields.ts';
import { answerChallenge } from './digest-client.ts';
import { DigestServer, sourceOf } from './digest-server.ts';
import { DENIED, MALFORMED, OK } from './digest-results.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

describe('Digest under attack: bytes', () => {
  it('A03: no prefix of valid credentials is accepted, and each is malformed', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    for (let length = 1; length < answer.length; length++) {
      assert.equal(server.status(answer.slice(0, length)), MALFORMED, `${length} bytes`);
    }
    assert.equal(server.status(answer), OK);
  });

  /** What the result depends on: two lists with the same meaning may have the same result. */
  const meaning = (bytes: Uint8Array): string | undefined => {
    try {
      const fields = parseDigestFields(bytes);
      const of = (name: string): string | undefined => fields.get(name)?.value;
      return JSON.stringify([
        ...['username', 'username*', 'realm', 'nonce', 'uri', 'cnonce', 'qop', 'nc', 'opaque'].map(of),
        of('algorithm')?.toUpperCase(),
        of('response')?.toLowerCase(),
        of('userhash')?.toLowerCase() === 'true',
      ]);
    } catch {
      return undefined;
    }
  };

  it('A02, A03: changed credentials are never accepted, and never an internal error', () => {
    const server = new DigestServer();
    const edit = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), at: fc.nat(500), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant('insert' as const), at: fc.nat(500), byte: fc.nat(255) }),
      fc.record({ kind: fc.constant('delete' as const), at: fc.nat(500), byte: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ kind: fc.constant('copy' as const), at: fc.nat(500), byte: fc.nat(255) }),
    );
    let changed = 0;
    const property = fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const valid = Buffer.from(answerChallenge(server.challenge()));
      let bytes = [...valid];
      for (const { kind, at, byte } of edits) {
        const place = at % (bytes.length + 1);
        if (kind === 'set') bytes[place] = byte;
        else if (kind === 'insert') bytes.splice(place, 0, byte);
        else if (kind === 'delete') bytes.splice(place, byte);
        else bytes = [...bytes.slice(0, place), ...bytes.slice(byte % bytes.length)];
      }
      const token = Uint8Array.from(bytes);
      if (token.byteLength === 0) return;
      const status = server.status(token);
      if (meaning(token) === meaning(valid)) return;
      changed++;
      assert.ok(status === DENIED || status === MALFORMED, status);
    });
    fc.assert(property, { numRuns });
    assert.ok(changed > numRuns / 2, `${changed} of ${numRuns} changed the meaning`);
  });

  it('A03: bytes of any kind are malformed or denied', () => {
    const server = new DigestServer({ accounts: sourceOf((): DigestAccepted => assert.fail('asked')) });
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (token) => {
      assert.equal(server.status(token), MALFORMED);
    });
    fc.assert(property, { numRuns });
  });
});
