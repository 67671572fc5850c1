/** Hostile NEGOTIATE_MESSAGEs, and what may not stand in their place. Every case is refused, with the status named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import {
  acceptSecurityContext,
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_PROXY_BINDINGS,
  heldBytes,
  SEC_E_INVALID_TOKEN,
  SEC_E_UNSUPPORTED_FUNCTION,
  SEC_I_CONTINUE_NEEDED,
} from '../../../src/sspi/index.ts';
import { patch, right, type1 } from './deviating-client.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage, WINDOWS_FLAGS } from './ntlm-client.ts';
import { credential, leg, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  describe('first leg', () => {
    const handle = credential();
    const refuse = (name: string, token: Uint8Array): void => {
      it(name, () => assert.equal(leg(handle, undefined, token).status, SEC_E_INVALID_TOKEN));
    };
    const challenge = tokenOf(leg(handle, undefined, type1));
    refuse('C01: an AUTHENTICATE_MESSAGE as first message', authenticateMessage(type1, challenge, right).message);
    refuse('C05: a CHALLENGE_MESSAGE of the server itself', challenge);
    for (const type of [0, 4, 0xffffffff]) refuse(`C05: message type ${type}`, patch(8, 32, type)(type1));
    refuse('C05: signature NTLMSSP1', Buffer.from(type1).fill('1', 7, 8));
    const sized = (bytes: number): Uint8Array => Buffer.concat([type1, new Uint8Array(bytes - type1.byteLength)]);
    refuse('A17: one byte more than 4 KiB', sized(4097));
    refuse('A17: 40 000 bytes', sized(40_000));
    it('A17: 4 KiB are taken, and what is larger is told to the log', () => {
      assert.equal(leg(handle, undefined, sized(4096)).status, SEC_I_CONTINUE_NEEDED);
      assert.equal(
        leg(handle, undefined, sized(4097)).diagnosis?.text,
        'NEGOTIATE_MESSAGE: has 4097 bytes, at most 4096 are allowed',
      );
    });
    it('A17: a context says what it holds: both messages, and nothing when it has its answer', () => {
      const own = credential();
      const { context, output } = leg(own, undefined, sized(1000));
      const challenge = output[0]!.data;
      assert.equal(heldBytes(context!), 1000 + challenge.byteLength);
      assert.equal(leg(own, context, new Uint8Array(4)).status, SEC_E_INVALID_TOKEN);
      assert.equal(heldBytes(context!), 0);
    });
    refuse('an empty token', new Uint8Array(0));
    refuse('C10: neither Unicode nor OEM', negotiateMessage(WINDOWS_FLAGS & ~3));
    const supplied = patch(12, 32, WINDOWS_FLAGS | 0x1000)(type1);
    refuse('C06: a domain outside the message', patch(16, 16, 8)(patch(20, 32, 0xfffffff0)(supplied)));
    refuse('C06: a domain inside the header', patch(16, 16, 8)(patch(20, 32, 8)(supplied)));
    it('fields whose flag is not set are ignored, and a Version there is no room for (cntlm)', () => {
      const cntlm = Buffer.concat([negotiateMessage(0xa208b205), Buffer.from('PC1CORP')]);
      cntlm.writeUInt16LE(4, 16);
      cntlm.writeUInt32LE(35, 20);
      cntlm.writeUInt16LE(3, 24);
      cntlm.writeUInt32LE(32, 28);
      const ignored = [patch(16, 16, 8)(type1), patch(28, 32, 0xfffffff0)(patch(24, 16, 8)(type1))];
      for (const token of [...ignored, negotiateMessage((CURL_FLAGS | 0x02000000) >>> 0), cntlm]) {
        assert.equal(leg(handle, undefined, token).status, SEC_I_CONTINUE_NEEDED);
      }
    });
    it('says in the log that a last message came first, and what is wrong with others', () => {
      const text = (token: Uint8Array): string => leg(handle, undefined, token).diagnosis?.text ?? '';
      assert.match(
        text(authenticateMessage(type1, challenge, right).message),
        /the first leg came over another connection/,
      );
      assert.match(text(challenge), /MessageType/);
    });
    it('names the kind of what the target is: a domain, or a server that stands alone', () => {
      const flags = (authData: Parameters<typeof credential>[0]): number =>
        decodeChallengeMessage(tokenOf(leg(credential(authData), undefined, type1))).flags & 0x30000;
      assert.equal(flags({ domain: 'Domain', computerName: 'Server' }), 0x10000);
      assert.equal(flags({ domain: 'SERVER', computerName: 'Server' }), 0x20000);
    });
    refuse('A05: more than 64 KiB', Buffer.concat([type1, new Uint8Array(0x10000)]));
    it('A03: every prefix is refused', () => {
      for (let end = 0; end < type1.byteLength; end++) {
        assert.equal(leg(handle, undefined, type1.subarray(0, end)).status, SEC_E_INVALID_TOKEN);
      }
    });
    it('no token buffer at all', () => {
      const result = acceptSecurityContext({
        ...{ credential: handle, context: undefined, input: [], requirements: 0, targetDataRep: 0 },
      });
      assert.ok(!(result instanceof Promise));
      assert.equal(result.status, SEC_E_INVALID_TOKEN);
    });
    it('C11: 128-bit keys required and not offered', () => {
      const strict = credential({ require128: true });
      assert.equal(leg(strict, undefined, negotiateMessage(CURL_FLAGS)).status, SEC_E_UNSUPPORTED_FUNCTION);
    });
    it('requirements that contradict each other make no challenge', () => {
      const requirements = ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS;
      assert.equal(leg(handle, undefined, type1, { requirements }).status, SEC_E_UNSUPPORTED_FUNCTION);
    });
    it('has the flags of every challenge, and the Version that says nothing of this system', () => {
      const challenged = (offered: number): DataView => {
        const { buffer, byteOffset } = Uint8Array.from(tokenOf(leg(handle, undefined, negotiateMessage(offered))));
        return new DataView(buffer, byteOffset);
      };
      // REQUEST_TARGET, NTLM, ALWAYS_SIGN and TARGET_INFO, with the kind of the target and the character set.
      assert.equal(challenged(1).getUint32(20, true), 0x00818205);
      assert.equal(challenged(1).getBigUint64(48), 0n);
      const withVersion = challenged(0x02000001);
      assert.equal(withVersion.getUint32(20, true), 0x02818205);
      assert.equal(withVersion.getBigUint64(48), 0x0a00_0000_0000_000fn);
    });
    it('names its target in the character set agreed on, and not at all where that cannot say it', () => {
      const name = (domain: string, flags: number): string =>
        decodeChallengeMessage(tokenOf(leg(credential({ domain }), undefined, negotiateMessage(flags)))).targetName;
      for (const domain of ['M\u00dcNCHEN', 'M\u00dc', '\u00dcM']) {
        assert.deepEqual([name(domain, WINDOWS_FLAGS), name(domain, CURL_FLAGS)], [domain, '']);
      }
      assert.equal(name('MUNICH', CURL_FLAGS), 'MUNICH');
    });
    it('LM_KEY and DATAGRAM are never granted, nor protection without extended session security', () => {
      const flags = (offered: number): number =>
        decodeChallengeMessage(tokenOf(leg(handle, undefined, negotiateMessage(offered)))).flags;
      assert.equal(flags(0xe00882f7) & 0xc0, 0);
      assert.equal(flags(0xe0008237) & 0xe0000030, 0);
      // Keys are for signing and sealing: who asks for neither has none.
      assert.equal(flags(0xe0088207) & 0xe0000030, 0);
      assert.equal(flags(WINDOWS_FLAGS) & 3, 1);
      assert.equal(flags(WINDOWS_FLAGS | 3) & 3, 1);
      assert.equal(flags(CURL_FLAGS) & 3, 2);
    });
  });
});
