import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ApRequestHeader } from '../../../src/formats/kerberos/kerberos-token.ts';
import type { KeytabListing } from '../../../src/kerberos/diagnosis.ts';
import { TicketAccounts } from '../../../src/native/gssapi/ticket-accounts.ts';
import type { TicketAccount } from '../../../src/kerberos/ticket-account.ts';

const account = (userName: string): TicketAccount => ({
  token: Object.freeze({ userName, groups: [], isAnonymous: false, isGuest: false }),
  client: `${userName}@R`,
  service: 'HTTP/web@R',
});
const alice = account('alice');
const keys: KeytabListing = { path: '/etc/http.keytab', entries: [] };

/** An AP-REQ whose ticket has these bytes, the last of them as its cipher. */
function request(clear: string, cipher: string): ApRequestHeader {
  const ticketBytes = Buffer.from(clear + cipher);
  return {
    useSessionKey: false,
    mutualRequired: false,
    ticket: { realm: 'R', serviceName: 'HTTP/web', encryptionType: 18, keyVersion: 1 },
    ticketBytes,
    ticketCipher: ticketBytes.subarray(clear.length),
    sessionEncryptionType: 18,
    authenticatorCipher: new Uint8Array(),
  };
}

describe('TicketAccounts', () => {
  const cases: readonly [string, ApRequestHeader, KeytabListing, boolean][] = [
    ['the same ticket', request('HTTP/web', 'cipher 1'), keys, true],
    ['another ticket', request('HTTP/web', 'cipher 2'), keys, false],
    ['another ticket with the same end', request('HTTP/web', 'rehpic 1'), keys, false],
    ['the same cipher for another service', request('HTTP/bew', 'cipher 1'), keys, false],
    ['a ticket that is the end of it', request('', 'cipher 1'), keys, false],
    ['a ticket with more before it', request('xHTTP/web', 'cipher 1'), keys, false],
    ['no cipher at all', request('HTTP/web', ''), keys, false],
    ['the same ticket after the keytab was loaded again', request('HTTP/web', 'cipher 1'), { ...keys }, false],
  ];
  for (const [name, asked, askedKeys, known] of cases) {
    test(`${name}: ${known ? 'known' : 'not known'}`, () => {
      const accounts = new TicketAccounts();
      accounts.set(request('HTTP/web', 'cipher 1'), keys, alice);
      assert.equal(accounts.get(asked, askedKeys), known ? alice : undefined);
    });
  }

  test('of two tickets that end alike the later one is kept', () => {
    const accounts = new TicketAccounts();
    const bob = account('bob');
    accounts.set(request('HTTP/web', 'of alice 1234'), keys, alice);
    accounts.set(request('HTTP/web', 'of bob 1234'), keys, bob);
    assert.equal(accounts.get(request('HTTP/web', 'of alice 1234'), keys), undefined);
    assert.equal(accounts.get(request('HTTP/web', 'of bob 1234'), keys), bob);
  });

  test('keeps bytes of its own: those it was given may change', () => {
    const accounts = new TicketAccounts();
    const given = request('HTTP/web', 'cipher 1');
    accounts.set(given, keys, alice);
    given.ticketBytes.fill(0, 0, 4);
    assert.equal(accounts.get(request('HTTP/web', 'cipher 1'), keys), alice);
    assert.equal(accounts.get(given, keys), undefined);
  });

  test('has an end: where two mebibytes are kept the first ticket goes for the next', () => {
    const accounts = new TicketAccounts();
    const numbered = (index: number): ApRequestHeader => request('HTTP/web', String(index).padStart(8184, '0'));
    const most = (2 * 1024 * 1024) / 8192;
    for (let index = 0; index < most; index++) accounts.set(numbered(index), keys, alice);
    // A ticket that is kept already takes no more room.
    accounts.set(numbered(most - 1), keys, alice);
    assert.equal(accounts.get(numbered(0), keys), alice);
    accounts.set(numbered(most), keys, alice);
    assert.equal(accounts.get(numbered(0), keys), undefined);
    assert.equal(accounts.get(numbered(1), keys), alice);
    assert.equal(accounts.get(numbered(most), keys), alice);
  });

  test('a ticket that is too large is not kept', () => {
    const accounts = new TicketAccounts();
    const large = request('HTTP/web', 'x'.repeat(16385));
    accounts.set(large, keys, alice);
    assert.equal(accounts.get(large, keys), undefined);
    const largest = request('HTTP/web', 'x'.repeat(16376));
    accounts.set(largest, keys, alice);
    assert.equal(accounts.get(largest, keys), alice);
  });
});
