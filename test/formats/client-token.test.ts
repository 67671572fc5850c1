import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  containsNtlm,
  containsNtlmAuthenticate,
  leadsToNtlm,
  readClientToken,
} from '../../src/formats/client-token.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NEGOEX, OID_NTLM } from '../../src/formats/object-identifiers.ts';
import { kerberosToken, ntlmLastMessage } from '../lab/client-messages.ts';
import { mechTypeList, negTokenInit, negTokenResp } from '../packages/negotiate/client-tokens.ts';
import { CURL_FLAGS, negotiateMessage } from '../packages/ntlm/ntlm-client.ts';

const first = negotiateMessage(CURL_FLAGS);
const last = ntlmLastMessage();
const ticket = kerberosToken();
const init = (oids: readonly string[], mechToken?: Uint8Array): Uint8Array =>
  negTokenInit({ mechTypes: mechTypeList(...oids), mechToken });
const garbage = Buffer.from('6005060300000000', 'hex');

const tokens: readonly {
  readonly what: string;
  readonly token: Uint8Array;
  readonly ntlm?: Uint8Array;
  readonly service?: string;
  readonly offersKerberos?: boolean;
  /** Whether it can only lead to NTLM. */
  readonly leadsToNtlm?: boolean;
}[] = [
  { what: 'a first NTLM message', token: first, ntlm: first, leadsToNtlm: true },
  { what: 'a last NTLM message', token: last, ntlm: last, leadsToNtlm: true },
  { what: 'a ticket', token: ticket, service: 'HTTP/web.lab.test', offersKerberos: true },
  { what: 'an offer of NTLM', token: init([OID_NTLM]) },
  { what: 'an offer of NTLM with its token', token: init([OID_NTLM], first), ntlm: first, leadsToNtlm: true },
  {
    what: 'an offer of NTLM before Kerberos: the server may choose Kerberos',
    token: init([OID_NTLM, OID_KERBEROS], first),
    ntlm: first,
    offersKerberos: true,
  },
  {
    what: 'a last NTLM message beside an offer of Kerberos',
    token: init([OID_NTLM, OID_KERBEROS], last),
    ntlm: last,
    offersKerberos: true,
    leadsToNtlm: true,
  },
  {
    what: 'what a browser of a domain sends',
    token: init([OID_KERBEROS_MICROSOFT, OID_KERBEROS, OID_NEGOEX, OID_NTLM], ticket),
    service: 'HTTP/web.lab.test',
    offersKerberos: true,
  },
  { what: 'an offer alone', token: init([OID_KERBEROS, OID_NTLM]), offersKerberos: true },
  {
    what: 'a later NTLM message',
    token: negTokenResp({ responseToken: last }),
    ntlm: last,
    leadsToNtlm: true,
  },
  { what: 'a later ticket', token: negTokenResp({ responseToken: ticket }), service: 'HTTP/web.lab.test' },
  { what: 'a later leg without a token', token: negTokenResp({ negState: 1 }) },
  { what: 'something of another mechanism', token: init([OID_NEGOEX, OID_KERBEROS], garbage) },
  { what: 'garbage', token: garbage },
  { what: 'no bytes', token: new Uint8Array(0) },
  {
    what: 'NTLM in a form that is no DER: an indefinite length',
    token: Buffer.concat([Buffer.from('a180', 'hex'), last, Buffer.alloc(2)]),
    leadsToNtlm: true,
  },
];

describe("what a client's token carries", () => {
  for (const { what, token, ntlm, service, offersKerberos = false, leadsToNtlm: leads = false } of tokens) {
    it(what, () => {
      const read = readClientToken(token);
      assert.deepEqual(read.ntlm && Buffer.from(read.ntlm), ntlm && Buffer.from(ntlm));
      assert.equal(read.kerberos?.ticket.serviceName, service);
      assert.equal(read.offersKerberos, offersKerberos);
      assert.equal(leadsToNtlm(token), leads);
    });
  }

  it('tells a last NTLM message from a first one, wherever it is', () => {
    assert.deepEqual([first, init([OID_NTLM], first)].map(containsNtlmAuthenticate), [false, false]);
    assert.deepEqual([last, negTokenResp({ responseToken: last })].map(containsNtlmAuthenticate), [true, true]);
    assert.equal(containsNtlm(ticket), false);
  });

  it('never throws (A03)', () => {
    const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
    const whole = tokens.map(({ token }) => token);
    fc.assert(
      fc.property(fc.constantFrom(...whole), fc.nat(), fc.nat(), fc.nat(255), (token, at, length, byte) => {
        const changed = Uint8Array.from(token).subarray(0, length % (token.byteLength + 1));
        if (changed.byteLength > 0) changed[at % changed.byteLength] = byte;
        readClientToken(changed);
        leadsToNtlm(changed);
      }),
      { numRuns },
    );
  });
});
