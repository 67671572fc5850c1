/** The account of an accepted ticket, for every PAC that a library can give. A bad PAC never counts as no PAC. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeUtf8 } from '../../../src/formats/utf8.ts';
import type { GssapiExtensions, PacResult } from '../../../src/native/gssapi/call/extensions.ts';
import type { ApRequestHeader } from '../../../src/formats/kerberos/kerberos-token.ts';
import type { Frame } from '../../../src/native/gssapi/call/frame.ts';
import { readAccount } from '../../../src/native/gssapi/name-attributes.ts';
import type { AccountResult } from '../../../src/kerberos/ticket-account.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';

const [vector] = vectors(/^pac\.rc4/);
const pac = Buffer.from(vector!.expected, 'hex');
const client = 'alice@CORP.TEST';
const service = 'HTTP/web.corp.test@CORP.TEST';

// Only a real library uses them.
const noFrame = undefined as unknown as Frame;
const noRequest = undefined as unknown as ApRequestHeader;

/** Reads the account from a name and a PAC as a library gives them. */
function account(name: string | undefined, given: PacResult, requirePac = false, anonymous = false): AccountResult {
  return accountAt(service, name, given, { requirePac, anonymous });
}

/** The same with the principal whose key it was. */
function accountAt(
  serviceName: string | undefined,
  name: string | undefined,
  given: PacResult,
  { requirePac = false, ignorePac = false, anonymous = false } = {},
): AccountResult {
  const extensions = {
    clientName: () => name,
    serviceName: () => serviceName,
    pac: () => given,
  } as unknown as GssapiExtensions;
  return readAccount(noFrame, extensions, noRequest, anonymous, { requirePac, ignorePac });
}

function refusalOf(result: AccountResult): string {
  assert.ok('refusal' in result);
  return result.refusal;
}

/** The PAC with a text in it replaced. The library says that it verified it. */
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
      const anonymous = account(client, given, false, true);
      assert.ok('token' in anonymous && anonymous.token.isAnonymous);
    }
  });

  it('D13: is refused if the PAC does not verify, whether one is required or not', () => {
    for (const required of [false, true]) {
      assert.match(refusalOf(account(client, 'unverified', required)), /does not verify with the key of the service/);
    }
  });

  it('D12, D15: is refused if the PAC is malformed', () => {
    const logonInfo = Buffer.from(pac);
    logonInfo.fill(0xff, logonInfo.readUInt32LE(16), logonInfo.readUInt32LE(16) + 40);
    for (const given of [Buffer.alloc(0), pac.subarray(0, pac.byteLength / 2), logonInfo]) {
      assert.match(refusalOf(account(client, given)), /the PAC of alice@CORP\.TEST is malformed/);
    }
  });

  it('D16: without logon information it is refused if a PAC is required; otherwise it is that of the principal', () => {
    const without = Buffer.from(pac);
    without.writeUInt32LE(99, 8);
    assert.match(refusalOf(account(client, undefined, true)), /has no PAC with logon information/);
    assert.match(refusalOf(account(client, without, true)), /has no PAC with logon information/);
    const principal = account(client, without);
    assert.ok('token' in principal);
    assert.deepEqual([principal.token.userName, principal.hasPac], ['alice', true]);
    assert.ok('token' in account(client, pac, true));
  });

  it('D17: is the principal alone if nothing is to be taken from the PAC; one that does not verify is refused still', () => {
    const read = accountAt(service, client, pac, { ignorePac: true });
    assert.ok('token' in read);
    assert.deepEqual(read.token, {
      userName: 'alice',
      userPrincipalName: client,
      groups: [],
      isAnonymous: false,
      isGuest: false,
    });
    assert.equal(read.hasPac, true);
    assert.match(refusalOf(accountAt(service, client, 'unverified', { ignorePac: true })), /does not verify/);
  });

  it('A09: is refused if the name of the ticket or a name in the PAC has a control character', () => {
    assert.match(refusalOf(account('al\u001bice@CORP.TEST', pac)), /name of the client holds control characters/);
    for (const name of ['W2003FINAL$', 'WIN2K3THINK']) {
      const given = altered(name, `\u001b${name.slice(1)}`);
      assert.match(refusalOf(account(client, given)), /a name in the PAC of alice@CORP\.TEST holds control characters/);
    }
  });

  it('D22: is refused if a name in the PAC has half a character', () => {
    for (const name of ['W2003FINAL$', 'WIN2K3THINK']) {
      assert.match(refusalOf(account(client, altered(name, `\ud800${name.slice(1)}`))), /malformed: .*lone surrogate/);
    }
  });

  it('D22: is refused if the name of the ticket is not UTF-8', () => {
    const clientName = (): string => decodeUtf8(Buffer.from('j\xf6rg@CORP.TEST', 'latin1'), 'name');
    const extensions = { clientName, serviceName: () => service, pac: () => pac } as unknown as GssapiExtensions;
    const read = readAccount(noFrame, extensions, noRequest, false, { requirePac: false, ignorePac: false });
    assert.match(refusalOf(read), /name of the client is not UTF-8/);
  });

  it('D18: of another realm than that of the key has no names of the PAC', () => {
    for (const [name, key, userName, domain] of [
      [client, service, 'W2003FINAL$', 'WIN2K3THINK'],
      // Exported with a realm in lower case, as happens.
      [client, 'HTTP/web.corp.test@corp.test', 'W2003FINAL$', 'WIN2K3THINK'],
      ['W2003FINAL$@OTHER.TEST', service, 'W2003FINAL$', undefined],
      ['mallory@OTHER.TEST', service, 'mallory', undefined],
      [client, 'HTTP/web@CORP.TEST.OTHER', 'alice', undefined],
    ] as const) {
      const read = accountAt(key, name, pac);
      assert.ok('token' in read);
      assert.deepEqual([read.token.userName, read.token.domain, read.service], [userName, domain, key]);
      assert.ok(read.token.groups.length > 0);
      assert.equal(
        read.token.groups.some((group) => 'name' in group),
        domain !== undefined,
      );
    }
    assert.match(refusalOf(accountAt(undefined, client, pac)), /whose key decrypted the ticket/);
  });

  it('is refused if the ticket has no name', () => {
    for (const name of [undefined, '', 'alice', '@CORP.TEST']) {
      assert.match(refusalOf(account(name, pac)), /no principal name/);
    }
  });
});
