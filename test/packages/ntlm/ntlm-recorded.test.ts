/** Recorded handshakes of clients nobody here wrote. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { decodeAuthenticateMessage } from '../../../src/formats/ntlm/authenticate-message.ts';
import { NtlmMessageSecurity } from '../../../src/packages/ntlm/ntlm-message-security.ts';
import {
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_PROXY_BINDINGS,
  SEC_E_BAD_BINDINGS,
  SEC_E_INVALID_TOKEN,
  SEC_E_LOGON_DENIED,
  SEC_E_OK,
  SEC_E_UNSUPPORTED_FUNCTION,
  SECBUFFER_CHANNEL_BINDINGS,
  SECBUFFER_DATA,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_SESSION_KEY,
  statusName,
} from '../../../src/sspi/index.ts';
import type { SecBuffer } from '../../../src/sspi/index.ts';
import type { BindingsPolicy } from '../../../src/packages/ntlm/ntlm-channel-bindings.ts';
import { hex, toHex, vector, vectors } from './recorded-handshakes.ts';
import { mutate, mutations } from './message-changes.ts';
import { common, verify, recorded } from './recorded-verification.ts';
import type { Recorded } from './recorded-verification.ts';

const day = 24 * 60 * 60 * 1000;
const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const refusals = [SEC_E_INVALID_TOKEN, SEC_E_LOGON_DENIED, SEC_E_BAD_BINDINGS, SEC_E_UNSUPPORTED_FUNCTION];
const complete = vectors.map(({ id }) => id).filter((id) => id.startsWith('ntlm.full.'));

describe('recorded NTLM handshakes', () => {
  it('there are five', () => {
    assert.equal(complete.length, 5);
  });

  for (const id of [...complete, 'nlmp.v2.authenticateMessage']) {
    describe(id, () => {
      it('is accepted at its own time', () => {
        const handshake = recorded(id);
        const { context, reply } = verify(handshake);
        assert.equal(reply.status, SEC_E_OK);
        assert.equal(context.queryToken().value?.userName, handshake.userName);
      });
      it('is refused with another password', () => {
        assert.equal(verify(recorded(id), { password: 'password' }).reply.status, SEC_E_LOGON_DENIED);
      });
      for (const hours of [37, -37]) {
        it(`C24: is refused when it is ${hours} hours old`, () => {
          const handshake = recorded(id);
          const now = handshake.time + (hours / 24) * day;
          assert.equal(verify(handshake, { now }).reply.status, SEC_E_LOGON_DENIED);
        });
      }
      if (id !== 'nlmp.v2.authenticateMessage') {
        it('C15: is refused when a flag was struck from the first or second message', () => {
          const handshake = recorded(id);
          for (const part of ['negotiate', 'challenge'] as const) {
            const changed = handshake[part].slice();
            // A bit of the flags that the recorded third message does not depend on.
            const at = part === 'negotiate' ? 15 : 23;
            changed[at] = changed[at]! ^ 0x20;
            assert.equal(verify({ ...handshake, [part]: changed }).reply.status, SEC_E_LOGON_DENIED, part);
          }
        });
        it('random changes to its last message are refused', () => {
          const handshake = recorded(id);
          fc.assert(
            fc.property(mutations, (changes) => {
              const authenticate = mutate(handshake.authenticate, changes);
              if (toHex(authenticate) === toHex(handshake.authenticate)) return;
              const { status } = verify({ ...handshake, authenticate }).reply;
              assert.ok(refusals.includes(status), statusName(status));
            }),
            { numRuns },
          );
        });
        it('C13: is refused with a zero MIC and with any bit of it wrong', () => {
          const handshake = recorded(id);
          const zero = handshake.authenticate.slice();
          zero.fill(0, 72, 88);
          assert.equal(verify({ ...handshake, authenticate: zero }).reply.status, SEC_E_LOGON_DENIED);
          for (let bit = 0; bit < 128; bit++) {
            const authenticate = handshake.authenticate.slice();
            const at = 72 + (bit >> 3);
            authenticate[at] = authenticate[at]! ^ (1 << (bit & 7));
            assert.equal(verify({ ...handshake, authenticate }).reply.status, SEC_E_LOGON_DENIED);
          }
        });
      } else {
        it('random changes to its last message sign nobody else in', () => {
          const handshake = recorded(id);
          fc.assert(
            fc.property(mutations, (changes) => {
              const authenticate = mutate(handshake.authenticate, changes);
              const { context, reply } = verify({ ...handshake, authenticate });
              if (reply.status === SEC_E_OK) assert.equal(context.queryToken().value?.userName, handshake.userName);
              else assert.ok(refusals.includes(reply.status), statusName(reply.status));
            }),
            { numRuns },
          );
        });
        it('C14: is refused where a MIC is required', () => {
          assert.equal(verify(recorded(id), { requireMic: true }).reply.status, SEC_E_LOGON_DENIED);
        });
      }
    });
  }

  it('nlmp.v2: the exchanged key, and the sealed message of the client', () => {
    const { context } = verify(recorded('nlmp.v2.authenticateMessage'));
    assert.equal(toHex(context.queryAttribute(SECPKG_ATTR_SESSION_KEY).value!), common['randomSessionKey']);
    const opened = context.decryptMessage([
      { type: SECBUFFER_TOKEN, data: hex(vector('nlmp.v2.wrap.signature').expected) },
      { type: SECBUFFER_DATA, data: hex(vector('nlmp.v2.wrap.data').expected) },
    ]);
    assert.equal(opened.status, SEC_E_OK);
    assert.equal(toHex(opened.value![0]!.data), vector('nlmp.v2.wrap.data').inputs['plaintext']);
  });

  it('ntlm-auth: the key that its client exchanged', () => {
    const id = 'ntlm.full.keyexch+mic+cbt (ntlm-auth)';
    const { context } = verify(recorded(id));
    assert.equal(
      toHex(context.queryAttribute(SECPKG_ATTR_SESSION_KEY).value!),
      vector(id).inputs['exportedSessionKey'],
    );
  });

  it('Chromium: the service it meant', () => {
    const { context } = verify(recorded('ntlm.full.mic+cbt+spn (Chromium)'));
    assert.equal(context.queryAttribute(SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value, 'HTTP/Server');
  });
});

describe('C16: channel bindings of recorded handshakes', () => {
  const blog = Buffer.concat([
    Buffer.from('tls-server-end-point:'),
    hex(vector('cbt.msblog').inputs['certHashSha256']!),
  ]);
  const bindings = (applicationData: Uint8Array): readonly SecBuffer[] => [
    { type: SECBUFFER_CHANNEL_BINDINGS, data: encodeChannelBindings(applicationData) },
  ];
  const given = {
    none: [],
    right: bindings(blog),
    wrong: bindings(Buffer.from('tls-server-end-point:another')),
  };
  const bound = 'ntlm.full.mic+cbt+spn (Chromium)';
  const zero = 'ntlm.full.mic+zeroCBT (Chromium)';
  const silent = 'nlmp.v2.authenticateMessage';
  const other = 'ntlm.full.keyexch+mic+cbt (ntlm-auth)';
  const bad = SEC_E_BAD_BINDINGS;
  const allow = ASC_REQ_ALLOW_MISSING_BINDINGS;
  const proxy = ASC_REQ_PROXY_BINDINGS;
  const table: readonly (readonly [id: string, buffers: keyof typeof given, requirements: number, status: number])[] = [
    [bound, 'none', 0, SEC_E_OK],
    [zero, 'none', 0, SEC_E_OK],
    [silent, 'none', 0, SEC_E_OK],
    [bound, 'right', 0, SEC_E_OK],
    [bound, 'wrong', 0, bad],
    [other, 'right', 0, bad],
    [zero, 'right', 0, bad],
    [silent, 'right', 0, bad],
    [bound, 'right', allow, SEC_E_OK],
    [bound, 'wrong', allow, bad],
    [zero, 'right', allow, bad],
    [silent, 'right', allow, SEC_E_OK],
    [silent, 'none', allow, SEC_E_OK],
    [bound, 'none', proxy, SEC_E_OK],
    [zero, 'none', proxy, bad],
    [silent, 'none', proxy, bad],
    [bound, 'wrong', proxy, bad],
    [bound, 'right', proxy | allow, SEC_E_UNSUPPORTED_FUNCTION],
    [bound, 'none', proxy | allow, SEC_E_UNSUPPORTED_FUNCTION],
  ];
  for (const [id, buffers, requirements, status] of table) {
    it(`${id}, bindings ${buffers}, requirements 0x${requirements.toString(16)}`, () => {
      assert.equal(verify(recorded(id), { buffers: given[buffers], requirements }).reply.status, status);
    });
  }
  it('bindings of the first leg are not forgotten on the last', () => {
    const policy: BindingsPolicy = { mode: 'require', hash: hex(vector(other).inputs['cbt']!) };
    assert.equal(verify(recorded(other), { policy }).reply.status, SEC_E_OK);
    for (const id of [zero, silent, bound]) assert.equal(verify(recorded(id), { policy }).reply.status, bad, id);
    assert.equal(verify(recorded(bound), { policy, requirements: proxy }).reply.status, bad);
  });
});

describe('C12, C17: NTLMv1 of MS-NLMP 4.2.2 and 4.2.3 is refused', () => {
  for (const family of ['nlmp.v1', 'nlmp.v1ess']) {
    const handshake: Recorded = {
      negotiate: new Uint8Array(0),
      challenge: hex(vector(`${family}.challengeMessage`).expected),
      authenticate: hex(vector(`${family}.authenticateMessage`).expected),
      userName: common['user']!,
      domain: common['domain']!,
      password: common['password']!,
      time: 0,
    };
    it(`${family}: the vector is the one with the right response`, () => {
      const { ntResponse, lmResponse } = decodeAuthenticateMessage(handshake.authenticate);
      assert.equal(toHex(ntResponse), vector(`${family}.ntResponse`).expected);
      assert.equal(toHex(lmResponse), vector(`${family}.lmResponse`).expected);
    });
    it(`${family}: SEC_E_LOGON_DENIED, and SEC_E_BAD_BINDINGS where bindings are required`, () => {
      assert.equal(verify(handshake).reply.status, SEC_E_LOGON_DENIED);
      const policy: BindingsPolicy = { mode: 'require', hash: new Uint8Array(16).fill(1) };
      assert.equal(verify(handshake, { policy }).reply.status, SEC_E_BAD_BINDINGS);
      assert.equal(verify(handshake, { requirements: ASC_REQ_PROXY_BINDINGS }).reply.status, SEC_E_BAD_BINDINGS);
    });
  }
});

describe('recorded message protection', () => {
  const SIGN_SEAL_ESS = 0x00080030;
  it('nlmp.v1ess.wrap: 56-bit keys, checksum not encrypted without key exchange', () => {
    const security = new NtlmMessageSecurity(hex(vector('nlmp.v1ess.kxkey').expected), SIGN_SEAL_ESS | 0x80000000);
    const opened = security.decryptMessage([
      { type: SECBUFFER_TOKEN, data: hex(vector('nlmp.v1ess.wrap.signature').expected) },
      { type: SECBUFFER_DATA, data: hex(vector('nlmp.v1ess.wrap.data').expected) },
    ]);
    assert.equal(opened.status, SEC_E_OK);
    assert.equal(Buffer.from(opened.value![0]!.data).toString('utf16le'), 'Plaintext');
  });

  it('cssp.v6.pubKeyAuth: sspi-rs sealed to us opens, and ours is what its server sealed', () => {
    const client = vector('cssp.v6.pubKeyAuth.client');
    const server = vector('cssp.v6.pubKeyAuth.server');
    const key = hex(client.inputs['exportedSessionKey']!);
    const security = new NtlmMessageSecurity(key, SIGN_SEAL_ESS | 0x20000000 | 0x40000000);
    const opened = security.decryptMessage([{ type: 10, data: hex(client.expected) }]);
    assert.equal(opened.status, SEC_E_OK);
    assert.equal(toHex(opened.value![0]!.data), 'c566ede104a9d7cde1bbaba577e0d7bec482be08037c92acf4885a90d89b8438');
    const plain = hex('3aabc8502c23cf209304cd85b52835e91ec62851d968349142a9fdc2a02d4226');
    const sealed = security.encryptMessage([{ type: SECBUFFER_DATA, data: plain }]);
    assert.equal(toHex(Buffer.concat(sealed.value!.map(({ data }) => data))), server.expected);
  });
});
