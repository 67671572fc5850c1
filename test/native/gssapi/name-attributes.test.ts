/** Whom an accepted ticket names, for every PAC that a library can give: one that is doubtful is never taken for none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GssapiExtensions, PacReading } from '../../../src/native/gssapi/call/extensions.ts';
import type { Frame } from '../../../src/native/gssapi/call/frame.ts';
import { readAccount } from '../../../src/native/gssapi/name-attributes.ts';
import type { AccountReading } from '../../../src/native/gssapi/name-attributes.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';

const [vector] = vectors(/^pac\.rc4/);
const pac = Buffer.from(vector!.expected, 'hex');
const client = 'alice@CORP.TEST';

/** What a library says of a ticket, read as the package Kerberos does. */
function account(name: string | undefined, given: PacReading, requirePac = false, anonymous = false): AccountReading {
  const extensions = { clientName: () => name, pac: () => given } as unknown as GssapiExtensions;
  // Only a library looks into the frame.
  return readAccount(undefined as unknown as Frame, extensions, anonymous, requirePac);
}

function refusalOf(reading: AccountReading): string {
  assert.ok('refusal' in reading);
  return reading.refusal;
}

/** The PAC with a text in it changed, as its library has verified it. */
function altered(from: string, to: string): Buffer {
  const bytes = Buffer.from(pac);
  const at = bytes.indexOf(Buffer.from(from, 'utf16le'));
  assert.ok(at > 0);
  bytes.write(to, at, 'utf16le');
  return bytes;
}

describe('the account of a ticket', () => {
  it('is that of its PAC, and of the principal where it has none', () => {
    const read = account(client, pac);
    assert.ok('token' in read);
    assert.deepEqual(
      [read.token.userName, read.token.domain, read.client, read.hasPac],
      ['W2003FINAL$', 'WIN2K3THINK', client, true],
    );
    const none = account(client, undefined);
    assert.ok('token' in none);
    assert.deepEqual([none.token.userName, none.token.groups, none.hasPac], ['alice', [], false]);
    for (const given of [pac, undefined]) {
      const nobody = account(client, given, false, true);
      assert.ok('token' in nobody && nobody.token.isAnonymous);
    }
  });

  it('D13: is nobody where the PAC does not verify, whether one is required or not', () => {
    for (const required of [false, true]) {
      assert.match(refusalOf(account(client, 'unverified', required)), /does not verify with the key of the service/);
    }
  });

  it('D12, D15: is nobody where the PAC is malformed', () => {
    const logonInfo = Buffer.from(pac);
    logonInfo.fill(0xff, logonInfo.readUInt32LE(16), logonInfo.readUInt32LE(16) + 40);
    for (const given of [Buffer.alloc(0), pac.subarray(0, pac.byteLength / 2), logonInfo]) {
      assert.match(refusalOf(account(client, given)), /the PAC of alice@CORP\.TEST is malformed/);
    }
  });

  it('D16: is nobody without logon information where a PAC is required, and the principal where not', () => {
    const without = Buffer.from(pac);
    without.writeUInt32LE(99, 8);
    assert.match(refusalOf(account(client, undefined, true)), /has no PAC with logon information/);
    assert.match(refusalOf(account(client, without, true)), /has no PAC with logon information/);
    const principal = account(client, without);
    assert.ok('token' in principal);
    assert.deepEqual([principal.token.userName, principal.hasPac], ['alice', true]);
    assert.ok('token' in account(client, pac, true));
  });

  it('A09: is nobody where a name holds a control character, that of the ticket or one in the PAC', () => {
    assert.match(refusalOf(account('al\u001bice@CORP.TEST', pac)), /name of the client holds control characters/);
    for (const name of ['W2003FINAL$', 'WIN2K3THINK']) {
      const given = altered(name, `\u001b${name.slice(1)}`);
      assert.match(refusalOf(account(client, given)), /a name in the PAC of alice@CORP\.TEST holds control characters/);
    }
  });

  it('is nobody where the ticket has no name', () => {
    for (const name of [undefined, '', 'alice', '@CORP.TEST']) {
      assert.match(refusalOf(account(name, pac)), /no principal name/);
    }
  });
});
