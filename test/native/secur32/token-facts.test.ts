import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tokenFacts } from '../../../src/native/secur32/token-facts.ts';
import { avId, kerberosToken, ntlmLastMessage } from '../../lab/client-messages.ts';
import { negTokenResp } from '../../packages/negotiate/client-tokens.ts';
import { CURL_FLAGS, negotiateMessage, u32, utf16 } from '../../packages/ntlm/ntlm-client.ts';

const target = [avId.targetName, utf16('HTTP/web:8080')] as const;

describe('what a token says in the clear', () => {
  it('of NTLM: account, target and channel bindings, raw and in SPNEGO', () => {
    const channelBindings = new Uint8Array(16).fill(7);
    const message = ntlmLastMessage({ pairs: [target, [avId.channelBindings, channelBindings]] });
    const ntlm = { account: 'LAB\\alice', hasResponse: true, target: 'HTTP/web:8080', channelBindings };
    assert.deepEqual(tokenFacts(message), { isNtlm: true, ntlm });
    assert.deepEqual(tokenFacts(negTokenResp({ responseToken: message })), { isNtlm: true, ntlm });
    message.fill(0);
    assert.deepEqual(ntlm.channelBindings, channelBindings, 'copied');
  });

  it('of NTLM without a domain, a target or bindings', () => {
    const ntlm = { account: 'alice', hasResponse: true, target: undefined, channelBindings: undefined };
    assert.deepEqual(tokenFacts(ntlmLastMessage({ domain: '' })).ntlm, ntlm);
    assert.deepEqual(tokenFacts(ntlmLastMessage({ domain: '', ntResponse: new Uint8Array(24) })).ntlm, ntlm);
    const local = { ntResponse: new Uint8Array(0), userName: '', domain: '' };
    assert.deepEqual(tokenFacts(ntlmLastMessage(local)).ntlm, { ...ntlm, account: '', hasResponse: false });
  });

  it('of NTLM whose client does not trust its target: none (C18)', () => {
    const untrusted = [avId.flags, u32(4)] as const;
    assert.equal(tokenFacts(ntlmLastMessage({ pairs: [untrusted, target] })).ntlm?.target, undefined);
    assert.equal(tokenFacts(ntlmLastMessage({ pairs: [[avId.flags, u32(2)], target] })).ntlm?.target, 'HTTP/web:8080');
  });

  it('of Kerberos: the service of the ticket and its key', () => {
    const ticket = { serviceName: 'HTTP/web.lab.test', realm: 'LAB.TEST', encryptionType: 18, keyVersion: 3 };
    assert.deepEqual(tokenFacts(kerberosToken()), { isNtlm: false, ticket });
  });

  it('of a first NTLM message and of what is malformed: that it is NTLM, or nothing', () => {
    assert.deepEqual(tokenFacts(negotiateMessage(CURL_FLAGS)), { isNtlm: true });
    assert.deepEqual(tokenFacts(ntlmLastMessage().subarray(0, 40)), { isNtlm: true });
    assert.deepEqual(tokenFacts(kerberosToken().subarray(0, 40)), { isNtlm: false });
    assert.deepEqual(tokenFacts(new Uint8Array(0)), { isNtlm: false });
  });
});
