/** Whether a client is bound to its TLS connection, by what the library says and by what its token says (C16, C17). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import {
  bindingFault,
  bindingPolicy,
  checkBindings,
  libraryFlags,
} from '../../../src/native/secur32/channel-binding-check.ts';
import type { TokenFacts } from '../../../src/native/secur32/token-facts.ts';
import { tokenFacts } from '../../../src/native/secur32/token-facts.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS } from '../../../src/sspi/requirements.ts';
import { avId, kerberosToken, ntlmLastMessage } from '../../lab/client-messages.ts';
import { md5 } from '../../packages/ntlm/ntlm-client.ts';

const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:0123456789abcdef'));
/** RFC 4121 section 4.1.1.2, written out here: five numbers, of which the last is the length of the data. */
const hash = md5(Buffer.alloc(16), Buffer.of(37, 0, 0, 0), Buffer.from('tls-server-end-point:0123456789abcdef'));
const zeros = new Uint8Array(16);
const other = new Uint8Array(16).fill(1);

const ntlm = (channelBindings?: Uint8Array): TokenFacts =>
  tokenFacts(ntlmLastMessage(channelBindings && { pairs: [[avId.channelBindings, channelBindings]] }));
const ntlmV1 = tokenFacts(ntlmLastMessage({ ntResponse: new Uint8Array(24).fill(1) }));
const localCall = tokenFacts(ntlmLastMessage({ ntResponse: new Uint8Array(0), userName: '' }));
const kerberos = tokenFacts(kerberosToken());
const unreadable: TokenFacts = { isNtlm: true };

/** SEC_CHANNEL_BINDINGS_RESULT.Flags. */
const [MATCHED, MISMATCH, NOT_MISSING, MAY_MISS, SILENT] = [0x11, 0x05, 0x0b, 0x42, 0];

type Expected = 'bound' | 'not bound' | 'nobody can tell' | 'mismatch' | 'missing' | 'unknown';

const rows: readonly (readonly [
  what: string,
  facts: TokenFacts,
  flags: number,
  whenSupported: Expected,
  always: Expected,
])[] = [
  ['NTLM with the right ones, and Windows says so', ntlm(hash), MATCHED, 'bound', 'bound'],
  ['NTLM with the right ones, and Windows is too old to say', ntlm(hash), SILENT, 'bound', 'bound'],
  ['NTLM with those of another certificate, overlooked', ntlm(other), SILENT, 'mismatch', 'mismatch'],
  ['NTLM with those of another certificate, called good', ntlm(other), MATCHED, 'mismatch', 'mismatch'],
  ['NTLM with zeros, overlooked', ntlm(zeros), SILENT, 'missing', 'missing'],
  ['NTLM without any', ntlm(), SILENT, 'not bound', 'missing'],
  ['NTLM without any, allowed by Windows', ntlm(), MAY_MISS, 'not bound', 'missing'],
  ['NTLM version 1', ntlmV1, SILENT, 'not bound', 'missing'],
  ['a client on this machine, and Windows says nothing', localCall, SILENT, 'nobody can tell', 'unknown'],
  ['a client on this machine, and Windows vouches', localCall, MATCHED, 'bound', 'bound'],
  ['NTLM that cannot be read', unreadable, SILENT, 'nobody can tell', 'unknown'],
  ['a ticket, and Windows vouches', kerberos, MATCHED, 'bound', 'bound'],
  ['a ticket, and Windows is too old to say', kerberos, SILENT, 'nobody can tell', 'bound'],
  ['a ticket without any, allowed by Windows', kerberos, MAY_MISS, 'not bound', 'missing'],
  ['a ticket with others, accepted and called bad', kerberos, MISMATCH, 'mismatch', 'mismatch'],
  ['a ticket with none, accepted and called bad', kerberos, NOT_MISSING, 'missing', 'missing'],
];

describe('channel bindings of a client whom the library has accepted', () => {
  const policy = (requirements: number): ReturnType<typeof bindingPolicy> =>
    bindingPolicy({ input: [{ type: 14, data: bindings }], requirements, targetDataRep: 0 });
  const outcome = (requirements: number, facts: TokenFacts, flags: number, enforces: boolean): Expected => {
    const checked = checkBindings(policy(requirements), flags, facts, enforces);
    if ('fault' in checked) return checked.fault;
    const [result] = checked.output;
    if (result === undefined) return 'nobody can tell';
    assert.deepEqual([result.type, result.data.byteLength], [30, 4]);
    return ((result.data[0] ?? 0) & 0x10) !== 0 ? 'bound' : 'not bound';
  };

  for (const [what, facts, flags, whenSupported, always] of rows) {
    it(`${what}: ${whenSupported}, and where they are required ${always}`, () => {
      assert.equal(outcome(ASC_REQ_ALLOW_MISSING_BINDINGS, facts, flags, true), whenSupported);
      assert.equal(outcome(0, facts, flags, true), always);
    });
  }

  it('of a ticket are not believed of a library that does not enforce them', () => {
    assert.equal(outcome(0, kerberos, SILENT, false), 'unknown');
    assert.equal(outcome(0, ntlm(hash), SILENT, false), 'bound');
  });

  it('are nothing where the call has none', () => {
    const without = bindingPolicy({ input: [], requirements: 0, targetDataRep: 0 });
    assert.deepEqual(checkBindings(without, 0, ntlm(other), true), { output: [] });
  });

  it('are not believed if the answer of the library lies outside of its memory', () => {
    assert.notEqual(libraryFlags(undefined), 0);
    assert.equal(outcome(0, kerberos, libraryFlags(undefined), true), 'mismatch');
    assert.equal(libraryFlags({ type: 30, data: new Uint8Array(0) }), 0);
    assert.equal(libraryFlags({ type: 30, data: Uint8Array.of(0x11, 0, 0, 0) }), MATCHED);
  });

  it('say why a client was refused', () => {
    assert.equal(bindingFault(MISMATCH, kerberos), 'mismatch');
    assert.equal(bindingFault(NOT_MISSING, kerberos), 'missing');
    assert.equal(bindingFault(SILENT, kerberos), 'unknown');
    assert.equal(bindingFault(SILENT, ntlm(zeros)), 'missing');
    assert.equal(bindingFault(SILENT, ntlm(other)), 'mismatch');
    assert.equal(bindingFault(SILENT, ntlm()), 'missing');
  });
});
