/** TSCredentials: recorded ones, their rules, and any bytes at all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeTsCredentials, decodeTsPasswordCreds } from '../../../src/formats/credssp/ts-credentials.ts';
import type { TsPasswordCreds } from '../../../src/formats/credssp/ts-credentials.ts';
import { utf16leToUtf8 } from '../../../src/formats/utf16.ts';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { passwordCredentials, tsCredentials } from '../../packages/credssp/credssp-client.ts';
import { mutate, mutations } from '../../packages/ntlm/message-changes.ts';
import { credsspVectors } from '../../vectors/credssp-conversations.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const read = (bytes: Uint8Array): TsPasswordCreds => decodeTsPasswordCreds(decodeTsCredentials(bytes).credentials);
const recorded = Buffer.from(credsspVectors.conversations[0]!.tsCredentials, 'hex');

describe('TSCredentials', () => {
  it('recorded ones name alice, and the bytes of her password are a view', () => {
    for (const { tsCredentials: hex } of credsspVectors.conversations) {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(decodeTsCredentials(bytes).credType, 1);
      const { domain, userName, password } = read(bytes);
      assert.deepEqual([domain, userName], ['LAB', 'alice']);
      assert.equal(Buffer.from(password).toString('utf16le'), 'Secret1');
      assert.equal(password.buffer, bytes.buffer);
    }
  });

  it('restricted administration: three empty texts', () => {
    const { domain, userName, password } = read(
      Buffer.from('3017a003020101a110040e300ca0020400a1020400a2020400', 'hex'),
    );
    assert.deepEqual([domain, userName, password.byteLength], ['', '', 0]);
  });

  it('any names and password are read', () => {
    const unit = fc.string({ unit: 'binary', maxLength: 30 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(unit, unit, unit, (domain, userName, password) => {
        const credentials = read(passwordCredentials({ domain, userName, password }));
        assert.deepEqual([credentials.domain, credentials.userName], [domain, userName]);
        assert.deepEqual(Buffer.from(credentials.password), utf16(password));
        assert.deepEqual(utf16leToUtf8(credentials.password, 'password'), Buffer.from(password, 'utf8'));
      }),
      { numRuns },
    );
  });

  it('changed ones are read or malformed, and an error has no part of the password', () => {
    fc.assert(
      fc.property(mutations, (changes) => {
        try {
          read(mutate(recorded, changes));
        } catch (error) {
          if (!(error instanceof MalformedTokenError)) throw error;
          assert.doesNotMatch(error.message, /Secret1|alice/);
        }
      }),
      { numRuns },
    );
  });

  const malformed: readonly (readonly [string, Uint8Array])[] = [
    ['F04: two sets of credentials', Buffer.concat([recorded, recorded])],
    ['a name with half a unit', tsCredentials(1, [utf16('LAB'), Buffer.from('abc'), utf16('Secret1')])],
    ['a name with a lone surrogate', tsCredentials(1, [utf16('\ud800'), utf16('alice'), utf16('Secret1')])],
    ['a name with a NUL', tsCredentials(1, [utf16('LAB'), utf16('alice\0x'), utf16('Secret1')])],
    ['a password with half a unit', tsCredentials(1, [utf16('LAB'), utf16('alice'), Buffer.from('abc')])],
    ['no password', tsCredentials(1, [utf16('LAB'), utf16('alice')])],
    ['four texts', tsCredentials(1, [utf16('LAB'), utf16('alice'), utf16('Secret1'), utf16('more')])],
  ];
  for (const [name, bytes] of malformed) {
    it(`${name}: malformed`, () => assert.throws(() => read(bytes), MalformedTokenError));
  }
});

describe('utf16leToUtf8', () => {
  it('refuses what is no text: half a unit, lone surrogates, NUL', () => {
    const bad = [
      Buffer.from('abc'),
      utf16('\ud800'),
      utf16('\udc00'),
      utf16('a\ud800b'),
      utf16('\udc00\ud800'),
      utf16('a\0'),
    ];
    for (const bytes of bad) assert.throws(() => utf16leToUtf8(bytes, 'password'), MalformedTokenError);
  });

  it('gives memory of its own', () => {
    const made = utf16leToUtf8(utf16('Gr\u00fc\u00dfe \u20ac \u{1f511}'), 'password');
    assert.equal(made.toString(), 'Gr\u00fc\u00dfe \u20ac \u{1f511}');
    assert.equal(made.byteOffset, 0);
    assert.ok(made.buffer.byteLength < 100);
  });
});
