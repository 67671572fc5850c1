/** AP-REQs in which one thing is not as it should be, sealed with the right keys: each with the status and the reason. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { derElement } from '../../../src/formats/der.ts';
import {
  encryptionKey,
  flagBits,
  kerberosString,
  kerberosTime,
  principalName,
  withChecksum,
} from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { gssClientPackages } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable } from './acceptor.ts';
import { startForgeRealm } from './forge-realm.ts';
import type { ForgeRealm } from './forge-realm.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
  { ...portable, ready: await tier('kdc', gssClientPackages) },
];
const MINUTE = 60_000;

/** Where Heimdal says no in another word than MIT krb5. */
const wordsOfHeimdal: Readonly<Record<string, string>> = {
  'D04: ticket marked INVALID': 'SEC_E_TIME_SKEW',
  'D10: Lgth is not 16': 'SEC_E_BAD_BINDINGS',
  'D10: delegation longer than the checksum': 'SEC_E_BAD_BINDINGS',
  'D19, G07: DCE style': 'SEC_E_LOGON_DENIED',
};

for (const { name: gssapi, library, ready } of gssapis)
  describe(`what Kerberos of ${gssapi} refuses`, ready, () => {
    let realm: ForgeRealm;
    before(async () => {
      realm = await startForgeRealm(library);
    });
    after(() => realm.stop());

    it('accepts a forged token in which nothing was altered: the forge itself is sound', async () => {
      const { status, token } = await realm.server.verify(await realm.forged(() => undefined));
      assert.equal(status, 'SEC_E_OK');
      assert.equal(token?.userName, 'alice');
    });

    const time = (offset: number): Uint8Array => kerberosTime(Date.now() + offset);
    type Case = readonly [name: string, alter: (open: OpenApRequest) => void, status: string, why: RegExp];
    const cases: readonly Case[] = [
      [
        'D03: ctime six minutes ahead',
        (o) => o.authenticator.set(5, time(6 * MINUTE)),
        'SEC_E_TIME_SKEW',
        /(359|36[01]) seconds ahead/,
      ],
      [
        'D03: ctime six minutes behind',
        (o) => o.authenticator.set(5, time(-6 * MINUTE)),
        'SEC_E_TIME_SKEW',
        /(359|36[01]) seconds behind/,
      ],
      [
        'D03: year 9999',
        (o) => o.authenticator.set(5, time(Date.UTC(9999, 0) - Date.now())),
        'SEC_E_TIME_SKEW',
        /ahead/,
      ],
      [
        'D03: no time at all',
        (o) => o.authenticator.set(5, derElement(0x18, Buffer.from('20260101'))),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      ['D04: ticket expired', (o) => o.encTicket.set(7, time(-6 * MINUTE)), 'SEC_E_CONTEXT_EXPIRED', /has expired/],
      ['D04: ticket not yet valid', (o) => o.encTicket.set(6, time(30 * MINUTE)), 'SEC_E_TIME_SKEW', /not yet valid/],
      // INVALID is bit 7 of TicketFlags, RFC 4120 section 5.3.
      ['D04: ticket marked INVALID', (o) => o.encTicket.set(0, flagBits(0x01000000)), 'SEC_E_LOGON_DENIED', /./],
      [
        'D05: ticket of another service under the same key',
        (o) => o.ticket.set(2, principalName(2, 'cifs', 'localhost')),
        'SEC_E_WRONG_PRINCIPAL',
        /cifs\/localhost@TEST\.LOCAL.*accepts HTTP/,
      ],
      [
        'D06: ticket said to be RC4',
        (o) => (o.ticketHeader.encryptionType = 23),
        'SEC_E_ALGORITHM_MISMATCH',
        /ticket .* arcfour-hmac/,
      ],
      [
        'D06: ticket said to be DES',
        (o) => (o.ticketHeader.encryptionType = 3),
        'SEC_E_ALGORITHM_MISMATCH',
        /des-cbc-md5/,
      ],
      [
        'D06: session key said to be RC4',
        (o) => (o.authenticatorEncryptionType = 23),
        'SEC_E_ALGORITHM_MISMATCH',
        /session key .* arcfour-hmac/,
      ],
      [
        'D06: session key of RC4 in the ticket',
        (o) => o.encTicket.set(1, encryptionKey(23, new Uint8Array(16))),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D06: subkey of RC4',
        (o) => o.authenticator.set(6, encryptionKey(23, new Uint8Array(16).fill(5))),
        'SEC_E_ALGORITHM_MISMATCH',
        /./,
      ],
      [
        'D07: another client name in the authenticator',
        (o) => o.authenticator.set(2, principalName(1, 'bob')),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D07: another realm in the authenticator',
        (o) => o.authenticator.set(1, kerberosString('OTHER.TEST')),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D09: AES-128 ticket type for an AES-256 ticket',
        (o) => (o.ticketHeader.encryptionType = 17),
        'SEC_E_LOGON_DENIED',
        /cannot be decrypted/,
      ],
      ['D10: checksum of 23 bytes', withChecksum((c) => c.subarray(0, 23)), 'SEC_E_BAD_BINDINGS', /./],
      ['D10: checksum of no bytes', withChecksum((c) => c.subarray(0, 0)), 'SEC_E_BAD_BINDINGS', /./],
      ['D10: Lgth is not 16', withChecksum((c) => (c.writeUInt32LE(17, 0), c)), 'SEC_E_LOGON_DENIED', /./],
      [
        'D10: delegation longer than the checksum',
        withChecksum(
          (c) => (
            c.writeUInt32LE(c.readUInt32LE(20) | 1, 20),
            Buffer.concat([c.subarray(0, 24), Buffer.from('0100ffff00', 'hex')])
          ),
        ),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      ['D10: checksum of another type', withChecksum((c) => c, 15), 'SEC_E_LOGON_DENIED', /./],
      [
        'D19: user-to-user',
        (o) => o.request.set(2, flagBits(0x60000000)),
        'SEC_E_UNSUPPORTED_FUNCTION',
        /user-to-user/,
      ],
      // GSS_C_DCE_STYLE would need a third leg: not a clean yes (attack G07).
      [
        'D19, G07: DCE style',
        withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x1000, 20), c)),
        'SEC_E_INVALID_TOKEN',
        /./,
      ],
    ];
    // Without a library nothing has to be read for it.
    const reads = gssapi !== 'sspi-auth';
    it('the clock skew is computed for ten refused tickets at once, and no more: it reads the keytab', async () => {
      const clock = { now: () => Date.now(), elapsed: () => 0 };
      using server = await acceptor({ library, keytab: realm.kdc.keytab, clock, replayCache: false });
      const early = await realm.forged((o) => o.authenticator.set(5, time(6 * MINUTE)));
      const whys: string[] = [];
      for (let number = 0; number < 12; number++) whys.push((await server.verify(early)).why);
      assert.equal(whys.filter((why) => /seconds ahead/.test(why)).length, reads ? 10 : 12);
      if (reads) assert.match(whys.at(-1) ?? '', /differ by more than libkrb5 allows/);
    });

    for (const [name, alter, status, why] of cases) {
      it(name, async () => {
        const verified = await realm.server.verify(await realm.forged(alter));
        const expected = gssapi === 'Heimdal' ? (wordsOfHeimdal[name] ?? status) : status;
        assert.equal(verified.status, expected, verified.why);
        assert.equal(verified.token, undefined);
        assert.match(verified.why, why);
        // Nothing goes to the client unless the caller asks for extended errors.
        assert.deepEqual(verified.output, []);
      });
    }
  });
