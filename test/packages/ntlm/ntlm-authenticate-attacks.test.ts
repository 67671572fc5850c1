/** Hostile AUTHENTICATE_MESSAGEs: every one that is malformed is refused as such. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SEC_E_INVALID_TOKEN, SEC_E_LOGON_DENIED, SEC_E_OK } from '../../../src/sspi/index.ts';
import { attempt, patch, right, type1 } from './deviating-client.ts';
import type { Attempt } from './deviating-client.ts';
import {
  authenticateMessage,
  CURL_FLAGS,
  encodePairs,
  negotiateMessage,
  u32,
  utf16,
  WINDOWS_FLAGS,
} from './ntlm-client.ts';
import type { ClientOptions } from './ntlm-client.ts';
import { credential, leg, tokenOf } from './ntlm-server.ts';

describe('NTLM attacks', () => {
  it('the client of these tests is accepted where it does not deviate', () => {
    assert.equal(attempt(right).status, SEC_E_OK);
  });

  describe('form of the answer', () => {
    const refuse = (name: string, how: Attempt, client: ClientOptions = right): void => {
      it(name, () => assert.equal(attempt(client, how).status, SEC_E_INVALID_TOKEN));
    };
    refuse('C06: user offset that wraps in 32 bits', { alter: patch(40, 32, 0xfffffff0) });
    refuse('C06: user at the end of the message', {
      alter: (message) => patch(40, 32, message.byteLength)(message),
    });
    refuse('C06: user inside the header', { alter: patch(40, 32, 16) });
    refuse('C06: odd UTF-16 length', { alter: patch(36, 16, 7) });
    it('C06: MaxLen is ignored, overlapping fields are harmless', () => {
      assert.equal(attempt({ ...right, mic: false }, { alter: patch(38, 16, 0xffff) }).status, SEC_E_OK);
      const overlap = (message: Uint8Array): Uint8Array => {
        const view = new DataView(message.buffer);
        return patch(48, 32, view.getUint32(40, true))(patch(44, 16, view.getUint16(36, true))(message));
      };
      assert.equal(attempt({ ...right, mic: false }, { alter: overlap }).status, SEC_E_OK);
    });
    const eol = new Uint8Array(0);
    const lists: Readonly<Record<string, Uint8Array>> = {
      'without end': Uint8Array.of(2, 0, 2, 0, 65, 0, 9, 9, 9, 9),
      'with a length past its end': Uint8Array.of(2, 0, 255, 255, 65, 0),
      'of 10000 pairs': encodePairs(Array.from({ length: 10_000 }, () => [77, eol] as const)),
      'with two MsvAvFlags': encodePairs([
        [6, u32(0)],
        [6, u32(0)],
        [0, eol],
      ]),
      'with two channel bindings': encodePairs([
        [10, new Uint8Array(16)],
        [10, new Uint8Array(16)],
        [0, eol],
      ]),
      'with two target names': encodePairs([
        [9, utf16('a')],
        [9, utf16('b')],
        [0, eol],
      ]),
      'with flags of 2 bytes': encodePairs([
        [6, Uint8Array.of(2, 0)],
        [0, eol],
      ]),
      'with bindings of 15 bytes': encodePairs([
        [10, new Uint8Array(15)],
        [0, eol],
      ]),
      'with a timestamp of 4 bytes': encodePairs([
        [7, new Uint8Array(4)],
        [0, eol],
      ]),
      'whose end has a value': encodePairs([[0, u32(0)]]),
    };
    for (const [name, avBytes] of Object.entries(lists)) {
      refuse(`C07: AV list ${name}`, {}, { ...right, mic: false, avBytes });
    }
    for (const length of [1, 16, 23, 25, 43, 47]) {
      refuse(`C08: a response of ${length} bytes`, {}, { ...right, ntResponse: new Uint8Array(length).fill(1) });
    }
    refuse('C08: RespType 2', {}, { ...right, ntResponse: new Uint8Array(64).fill(2) });
    for (const userName of ['User\0', 'Us\0er', '\ud800User', 'User\udc00', 'User\n', 'User\u0085', 'x'.repeat(257)]) {
      refuse(`C09: user ${JSON.stringify(userName).slice(0, 20)}`, {}, { ...right, userName });
    }
    for (const userName of ['\ufeffUser', 'User ', 'User.', '\uff35ser', 'Us\u00adr']) {
      it(`C09: user ${JSON.stringify(userName)} is not User`, () => {
        assert.equal(attempt({ ...right, userName }).status, SEC_E_LOGON_DENIED);
      });
    }
    it('C09: a name of 256 characters is read', () => {
      assert.equal(attempt({ ...right, userName: 'x'.repeat(256) }).status, SEC_E_LOGON_DENIED);
    });
    refuse(
      'C10: OEM text with a byte above ASCII',
      { negotiate: negotiateMessage(CURL_FLAGS) },
      {
        ...right,
        userName: 'ben\u00e9',
        headerBytes: 64,
        mic: false,
      },
    );
    refuse('C11: an answer in the other character set', {}, { ...right, flags: (WINDOWS_FLAGS & ~1) | 2 });
    it('without KEY_EXCH the descriptor of a key is ignored', () => {
      const negotiate = negotiateMessage(CURL_FLAGS);
      const how = { negotiate, alter: patch(52, 16, 16) };
      assert.equal(attempt({ ...right, mic: false }, how).status, SEC_E_OK);
      assert.equal(attempt({ ...right, mic: false }, { negotiate, alter: patch(56, 32, 0) }).status, SEC_E_OK);
    });
    it('of an old client the log says that it is one, whatever else is wrong (wget)', () => {
      // NTLMv1, and UTF-16 where OEM was agreed.
      const old = { ...right, mic: false, ntResponse: new Uint8Array(24), flags: CURL_FLAGS | 1, userName: 'U' };
      const { status, diagnosis } = attempt(old, { negotiate: negotiateMessage(CURL_FLAGS) });
      assert.equal(status, SEC_E_INVALID_TOKEN);
      assert.match(diagnosis?.text ?? '', /sent no NTLMv2 response/);
      const odd = attempt(right, { alter: patch(36, 16, 7) });
      assert.match(odd.diagnosis?.text ?? '', /UserName/);
    });
    for (const length of [0, 15, 17, 64]) {
      refuse(`C25: an exchanged key of ${length} bytes`, {}, { ...right, encryptedKey: new Uint8Array(length) });
    }
    it('A04: bytes behind the payload are covered by the MIC', () => {
      assert.equal(attempt({ ...right, trailing: new Uint8Array(9) }).status, SEC_E_OK);
      const added = (message: Uint8Array): Uint8Array => Buffer.concat([message, new Uint8Array(1)]);
      assert.equal(attempt(right, { alter: added }).status, SEC_E_LOGON_DENIED);
    });
    it('A03: no prefix is accepted', () => {
      const whole = attempt(right);
      assert.equal(whole.status, SEC_E_OK);
      const { byteLength } = authenticateMessage(type1, tokenOf(leg(credential(), undefined, type1)), right).message;
      for (let end = 0; end < byteLength; end++) {
        const { status } = attempt(right, { alter: (message) => message.subarray(0, end) });
        assert.ok(status === SEC_E_INVALID_TOKEN || status === SEC_E_LOGON_DENIED, `${end} bytes`);
      }
    });
  });
});
