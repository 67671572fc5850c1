import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../src/errors.ts';
import { decodeAvPairs, encodeTargetInfo } from '../../src/formats/av-pairs.ts';
import { dateOfFiletime, filetimeDistance, filetimeOf, filetimeSpan } from '../../src/formats/filetime.ts';
import { decodeAuthenticateMessage } from '../../src/formats/ntlm-authenticate-message.ts';
import { decodeChallengeMessage, encodeChallengeMessage } from '../../src/formats/ntlm-challenge-message.ts';
import { isNtlmMessage } from '../../src/formats/ntlm-field.ts';
import { ntlmFlagNames, ntlmFlagTable } from '../../src/formats/ntlm-flags.ts';
import { describeNtlmMessage } from '../../src/formats/ntlm-message-description.ts';
import { decodeNtlmV2Response } from '../../src/formats/ntlmv2-response.ts';
import { decodeUtf16le, encodeUtf16le } from '../../src/formats/utf16.ts';
import { hex, toHex, vector } from '../packages/ntlm/recorded-handshakes.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const malformed = (field: string) => (error: unknown) => error instanceof MalformedTokenError && error.field === field;

describe('UTF-16', () => {
  it('gives back every well-formed text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        if (!text.includes('\0')) assert.equal(decodeUtf16le(encodeUtf16le(text), 'x'), text);
      }),
      { numRuns },
    );
  });
  for (const [name, bytes] of [
    ['an odd length', '610062'],
    ['a lone high surrogate', '00d86100'],
    ['a lone low surrogate', '610000dc'],
    ['swapped surrogates', '00dc00d8'],
    ['an embedded NUL', '610000006200'],
  ] as const) {
    it(`C09: refuses ${name}`, () => {
      assert.throws(() => decodeUtf16le(hex(bytes), 'UserName'), malformed('UserName'));
    });
  }
});

describe('FILETIME', () => {
  it('counts from 1601', () => {
    assert.equal(filetimeOf(0), 116_444_736_000_000_000n);
    assert.equal(filetimeOf(-11_644_473_600_000), 0n);
    assert.equal(dateOfFiletime(0n).toISOString(), '1601-01-01T00:00:00.000Z');
    assert.equal(dateOfFiletime(0x01d2d400fdc80b80n).getUTCFullYear(), 2017);
    assert.equal(dateOfFiletime(0xffffffffffffffffn).getUTCFullYear(), 60056);
  });
  it('C24: measures distances over all 64 bits', () => {
    assert.equal(filetimeDistance(0xffffffffffffffffn, 0xfffffffffffffffen), 1n);
    assert.equal(filetimeDistance(0n, 0xffffffffffffffffn), 0xffffffffffffffffn);
    assert.equal(filetimeSpan(1), 10_000n);
  });
});

describe('flags', () => {
  it('are single bits, each once', () => {
    let all = 0;
    for (const [flag] of ntlmFlagTable) {
      assert.equal(flag & (flag - 1), 0);
      assert.equal(all & flag, 0);
      all |= flag;
    }
  });
  it('are named, reserved ones by their bits', () => {
    assert.deepEqual(ntlmFlagNames(0x80000001), ['NTLMSSP_NEGOTIATE_UNICODE', 'NTLMSSP_NEGOTIATE_56']);
    assert.deepEqual(ntlmFlagNames(0x00000108), ['0x00000108']);
    assert.deepEqual(ntlmFlagNames(0), []);
  });
});

describe('messages of MS-NLMP section 4.2', () => {
  it('nlmp.v2.challengeMessage', () => {
    const message = decodeChallengeMessage(hex(vector('nlmp.v2.challengeMessage').expected));
    assert.equal(message.flags, 0xe28a8233);
    assert.equal(message.targetName, 'Server');
    assert.equal(toHex(message.serverChallenge), '0123456789abcdef');
    assert.deepEqual(message.targetInfo, { nbDomainName: 'Domain', nbComputerName: 'Server' });
    assert.deepEqual(message.version, { major: 6, minor: 0, build: 6000, revision: 15 });
  });
  it('nlmp.v2.authenticateMessage', () => {
    const message = decodeAuthenticateMessage(hex(vector('nlmp.v2.authenticateMessage').expected));
    assert.deepEqual(
      [message.domain, message.userName, message.workstation, message.mic],
      ['Domain', 'User', 'COMPUTER', undefined],
    );
    assert.equal(toHex(message.lmResponse), vector('nlmp.v2.lmResponse').expected);
    assert.equal(toHex(message.encryptedRandomSessionKey), vector('nlmp.v2.encSessionKey').expected);
    const response = decodeNtlmV2Response(message.ntResponse);
    assert.equal(toHex(response.proof), vector('nlmp.v2.ntProofStr').expected);
    assert.equal(toHex(response.clientChallengeMessage), vector('nlmp.v2.temp').expected);
    assert.equal(toHex(response.clientChallenge), 'aaaaaaaaaaaaaaaa');
    assert.equal(response.timestamp, 0n);
  });
  for (const family of ['nlmp.v1', 'nlmp.v1ess']) {
    it(`${family}: both messages`, () => {
      const challenge = describeNtlmMessage(hex(vector(`${family}.challengeMessage`).expected));
      assert.equal(challenge.type, 'CHALLENGE');
      const answer = describeNtlmMessage(hex(vector(`${family}.authenticateMessage`).expected));
      assert.ok(answer.type === 'AUTHENTICATE');
      assert.equal(answer.response, 'NTLMv1');
      assert.equal(answer.userName, 'User');
    });
  }
});

describe('challenges', () => {
  it('read back as they were written, whatever the names', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 15 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(
        name,
        name,
        fc.option(name, { nil: undefined }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (a, b, c, time) => {
          const targetInfo = encodeTargetInfo({
            nbDomainName: a,
            nbComputerName: b,
            dnsDomainName: c,
            timestamp: time,
          });
          const bytes = encodeChallengeMessage({
            flags: 0x02800001,
            serverChallenge: hex('0123456789abcdef'),
            targetName: encodeUtf16le(a),
            targetInfo,
            version: { major: 10, minor: 0, build: 513, revision: 15 },
          });
          const message = decodeChallengeMessage(bytes);
          assert.equal(message.targetName, a);
          assert.equal(message.version?.build, 513);
          assert.deepEqual(message.targetInfo, {
            nbDomainName: a,
            nbComputerName: b,
            ...(c === undefined ? {} : { dnsDomainName: c }),
            timestamp: time,
          });
        },
      ),
      { numRuns: Math.min(numRuns, 2000) },
    );
  });
});

describe('AV pairs', () => {
  it('tell zero bindings from none', () => {
    assert.deepEqual(decodeAvPairs(hex(`0a001000${'00'.repeat(16)}00000000`)).channelBindings, new Uint8Array(16));
    assert.equal(decodeAvPairs(hex('00000000')).channelBindings, undefined);
  });
  it('skip ids that are not known, and what follows the end', () => {
    assert.deepEqual(decodeAvPairs(hex('7f000200abcd0600040002000000000000007fff')), { flags: 2 });
  });
});

describe('description for people', () => {
  it('Chromium: flags, names, target, bindings, MIC', () => {
    const message = describeNtlmMessage(hex(vector('ntlm.full.mic+cbt+spn (Chromium)').expected));
    assert.ok(message.type === 'AUTHENTICATE');
    assert.ok(message.micPromised && message.micPresent);
    assert.deepEqual(message.clientInfo, {
      nbDomainName: 'Domain',
      nbComputerName: 'Server',
      flags: ['MIC present'],
      targetName: 'HTTP/Server',
      channelBindings: '6586e99d81c2fc984e47172fd4dd0310',
    });
  });
  it('a type 1 of Windows with its hints', () => {
    const message = describeNtlmMessage(hex(vector('ntlm.full.keyexch+mic+cbt (ntlm-auth)').inputs['type1']!));
    assert.ok(message.type === 'NEGOTIATE');
    assert.equal(message.domain, 'Domain');
    assert.equal(message.workstation, 'COMPUTER');
    assert.equal(message.version, '5.1.2600 (NTLM revision 15)');
  });
  it('is plain data, and holds no response', () => {
    for (const id of ['nlmp.v2.authenticateMessage', 'ntlm.full.freerdp']) {
      const text = JSON.stringify(describeNtlmMessage(hex(vector(id).expected)));
      const { proof } = decodeNtlmV2Response(decodeAuthenticateMessage(hex(vector(id).expected)).ntResponse);
      assert.ok(!text.includes(toHex(proof)));
    }
  });
  it('knows an NTLM message by its first bytes', () => {
    assert.ok(isNtlmMessage(Buffer.from('NTLMSSP\0')));
    assert.ok(!isNtlmMessage(Buffer.from('NTLMSSP')));
    assert.ok(!isNtlmMessage(Buffer.from('`\x82NTLMSS')));
  });
});
