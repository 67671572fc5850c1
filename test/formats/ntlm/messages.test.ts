import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { decodeAvPairs, encodeTargetInfo } from '../../../src/formats/ntlm/av-pairs.ts';
import { dateOfFiletime, filetimeDistance, filetimeOf, filetimeSpan } from '../../../src/formats/filetime.ts';
import { decodeAuthenticateMessage, ntResponseLength } from '../../../src/formats/ntlm/authenticate-message.ts';
import { decodeChallengeMessage, encodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import { decodeOem, fieldBytes, isNtlmMessage, openNtlmMessage } from '../../../src/formats/ntlm/message-field.ts';
import { ntlmFlagNames, ntlmFlagTable } from '../../../src/formats/ntlm/negotiate-flags.ts';
import { describeNtlmMessage } from '../../../src/formats/ntlm/message-description.ts';
import { decodeNegotiateMessage, oemHint } from '../../../src/formats/ntlm/negotiate-message.ts';
import { decodeNtlmV2Response } from '../../../src/formats/ntlm/ntlmv2-response.ts';
import { decodeUtf16le, encodeUtf16le } from '../../../src/formats/utf16.ts';
import { hex, toHex, vector } from '../../packages/ntlm/recorded-handshakes.ts';

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

describe('the place of the MIC', () => {
  const KEY_EXCH = 0x40000000;
  /** An AUTHENTICATE_MESSAGE of nothing, but for the fields given: index, length, offset. */
  const message = (flags: number, ...fields: readonly (readonly [index: number, length: number, at: number])[]) => {
    const bytes = new Uint8Array(104).fill(0x20);
    bytes.fill(0, 0, 64);
    bytes.set(Buffer.from('NTLMSSP\0\x03\0\0\0', 'latin1'));
    const view = new DataView(bytes.buffer);
    view.setUint32(60, flags, true);
    for (const [index, length, at] of fields) {
      view.setUint16(12 + 8 * index, length, true);
      view.setUint32(16 + 8 * index, at, true);
    }
    return decodeAuthenticateMessage(bytes).mic?.byteLength;
  };
  for (let index = 0; index < 5; index++) {
    it(`is there where field ${index} begins behind it, and is none where that begins in it`, () => {
      assert.equal(message(2, [index, 16, 88]), 16);
      for (const at of [64, 72, 87]) assert.equal(message(2, [index, 16, at]), undefined);
      assert.equal(message(2, [index, 0, 64]), 16, 'an empty field lies nowhere');
    });
  }
  it('a session key counts where one is exchanged', () => {
    assert.equal(message(2 | KEY_EXCH, [5, 16, 88]), 16);
    assert.equal(message(2 | KEY_EXCH, [5, 16, 72]), undefined);
    assert.equal(message(2, [5, 16, 72]), 16);
  });
});

describe('a field of a message', () => {
  const field = (length: number, offset: number): number =>
    fieldBytes(new Uint8Array(100), { name: 'x', length, offset }, 64).byteLength;
  it('C06: lies wholly between the header and the end, or is empty', () => {
    assert.equal(field(36, 64), 36);
    assert.equal(field(1, 99), 1);
    for (const offset of [0, 63, 100, 0xffffffff]) assert.equal(field(0, offset), 0);
    for (const [length, offset] of [
      [1, 63],
      [37, 64],
      [1, 100],
      [2, 99],
      [1, 0xffffffff],
      [0xffff, 0xffff0001],
    ] as const) {
      assert.throws(() => field(length, offset), malformed('x'));
    }
  });
  it('C10: as OEM text is printable ASCII from space to tilde', () => {
    assert.equal(decodeOem(Buffer.from(' ~'), 'x'), ' ~');
    for (const byte of [0, 0x1f, 0x7f, 0x80, 0xff]) {
      assert.throws(() => decodeOem(Uint8Array.of(0x41, byte), 'x'), malformed('x'));
    }
    assert.equal(oemHint(Buffer.from('PC1')), 'PC1');
    assert.equal(oemHint(Buffer.of(0xe9)), undefined);
  });
  it('A05: of a message of 64 KiB is read, of a larger one not', () => {
    const bytes = new Uint8Array(0x10000);
    bytes.set(Buffer.from('NTLMSSP\0\x02\0\0\0', 'latin1'));
    assert.equal(openNtlmMessage(bytes).messageType, 2);
    assert.throws(() => openNtlmMessage(bytes, 3), malformed('MessageType'));
    const larger = Buffer.concat([bytes, new Uint8Array(1)]);
    assert.throws(() => openNtlmMessage(larger), malformed('NTLM message'));
    const offset = (wrong: Uint8Array, type?: number): number | undefined => {
      try {
        openNtlmMessage(wrong, type);
      } catch (error) {
        if (error instanceof MalformedTokenError) return error.offset;
      }
      return undefined;
    };
    assert.deepEqual([offset(larger), offset(new Uint8Array(12)), offset(bytes, 3)], [0, 0, 8]);
  });
});

describe('the hints of a NEGOTIATE_MESSAGE', () => {
  const message = (flags: number): Uint8Array => {
    const bytes = Buffer.alloc(36);
    bytes.write('NTLMSSP\0\x01\0\0\0', 'latin1');
    bytes.writeUInt32LE(flags, 12);
    for (const [at, length, offset] of [
      [16, 1, 32],
      [24, 3, 33],
    ] as const) {
      bytes.writeUInt16LE(length, at);
      bytes.writeUInt32LE(offset, at + 4);
    }
    bytes.write('DPC1', 32);
    return bytes;
  };
  it('are there where their flags say so, and empty where these do not', () => {
    const hints = (flags: number): unknown[] => {
      const { domain, workstation, version } = decodeNegotiateMessage(message(flags));
      return [Buffer.from(domain).toString(), Buffer.from(workstation).toString(), version];
    };
    assert.deepEqual(hints(0x3000), ['D', 'PC1', undefined]);
    assert.deepEqual(hints(0x1000), ['D', '', undefined]);
    assert.deepEqual(hints(0x2000), ['', 'PC1', undefined]);
    assert.deepEqual(hints(0x02000000), ['', '', undefined]);
  });
});

describe('an NTLMv2 response', () => {
  it('C08: has 1 for both of its types', () => {
    const { ntResponse } = decodeAuthenticateMessage(hex(vector('nlmp.v2.authenticateMessage').expected));
    for (const [at, field] of [
      [16, 'RespType'],
      [17, 'HiRespType'],
    ] as const) {
      for (const value of [0, 2]) {
        const bytes = Uint8Array.from(ntResponse);
        bytes[at] = value;
        assert.throws(() => decodeNtlmV2Response(bytes), malformed(field));
      }
    }
  });
});

describe('the length of an NtChallengeResponse', () => {
  it('is told of an AUTHENTICATE_MESSAGE, whatever else is wrong with it, and of nothing else', () => {
    const whole = hex(vector('nlmp.v2.authenticateMessage').expected);
    const { ntResponse } = decodeAuthenticateMessage(whole);
    assert.equal(ntResponseLength(whole), ntResponse.byteLength);
    assert.equal(ntResponseLength(whole.subarray(0, 28)), ntResponse.byteLength);
    assert.equal(ntResponseLength(whole.subarray(0, 27)), undefined);
    assert.equal(ntResponseLength(hex(vector('nlmp.v2.challengeMessage').expected)), undefined);
  });
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

describe('a challenge of OEM strings and without VERSION', () => {
  const fields = {
    serverChallenge: hex('0123456789abcdef'),
    targetName: Buffer.from('Domain'),
    targetInfo: hex('00000000'),
    version: { major: 10, minor: 1, build: 513, revision: 15 },
  };
  it('says both lengths of its fields, and leaves the place of VERSION empty', () => {
    const bytes = encodeChallengeMessage({ ...fields, flags: 0x00800002 });
    assert.equal(
      toHex(bytes),
      '4e544c4d53535000 02000000 0600060038000000 02008000 0123456789abcdef 0000000000000000 040004003e000000'
        .concat(' 0000000000000000 446f6d61696e 00000000')
        .replaceAll(' ', ''),
    );
    const message = decodeChallengeMessage(bytes);
    assert.deepEqual([message.targetName, message.targetInfo, message.version], ['Domain', {}, undefined]);
  });
  it('has no TargetInfo where its flag does not promise it', () => {
    assert.equal(decodeChallengeMessage(encodeChallengeMessage({ ...fields, flags: 2 })).targetInfo, undefined);
  });
});

describe('AV pairs', () => {
  it('tell zero bindings from none', () => {
    assert.deepEqual(decodeAvPairs(hex(`0a001000${'00'.repeat(16)}00000000`)).channelBindings, new Uint8Array(16));
    assert.equal(decodeAvPairs(hex('00000000')).channelBindings, undefined);
  });
  it('keep Single_Host_Data as it is', () => {
    assert.equal(toHex(decodeAvPairs(hex('080003000102ff00000000')).singleHost ?? new Uint8Array(0)), '0102ff');
  });
  it('skip ids that are not known, and what follows the end', () => {
    assert.deepEqual(decodeAvPairs(hex('7f000200abcd0600040002000000000000007fff')), { flags: 2 });
  });
});

describe('the number of AV pairs', () => {
  it('C07: is 64 at most, with the end among them', () => {
    const unknown = (count: number): Uint8Array => hex(`${'7f000000'.repeat(count)}00000000`);
    assert.deepEqual(decodeAvPairs(unknown(63)), {});
    assert.throws(() => decodeAvPairs(unknown(64)), malformed('AV_PAIR'));
  });
});

describe('a name in an AUTHENTICATE_MESSAGE', () => {
  it('A09: has no control character, neither of ASCII nor of C1, and may have all others', () => {
    const whole = hex(vector('nlmp.v2.authenticateMessage').expected);
    const withUnit = (unit: number): string => {
      const bytes = Uint8Array.from(whole);
      const view = new DataView(bytes.buffer);
      view.setUint16(view.getUint32(40, true), unit, true);
      return decodeAuthenticateMessage(bytes).userName;
    };
    for (const unit of [0x20, 0x7e, 0xa0, 0xff]) assert.equal(withUnit(unit), `${String.fromCharCode(unit)}ser`);
    for (const unit of [0x01, 0x1f, 0x7f, 0x80, 0x9f]) assert.throws(() => withUnit(unit), malformed('UserName'));
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
  it('says of what kind a response is, and of a MIC whether it is there', () => {
    const whole = hex(vector('ntlm.full.mic+cbt+spn (Chromium)').expected);
    const described = (change: (bytes: Uint8Array) => void): readonly unknown[] => {
      const bytes = Uint8Array.from(whole);
      change(bytes);
      const message = describeNtlmMessage(bytes);
      assert.ok(message.type === 'AUTHENTICATE');
      return [message.response, message.micPromised, message.micPresent];
    };
    const length = (value: number) => (bytes: Uint8Array) => {
      new DataView(bytes.buffer).setUint16(20, value, true);
    };
    assert.deepEqual(
      described(() => undefined),
      ['NTLMv2', true, true],
    );
    assert.deepEqual(
      described((bytes) => bytes.fill(0, 72, 88)),
      ['NTLMv2', true, false],
    );
    const bindings = Buffer.from(whole).indexOf('6586e99d81c2fc984e47172fd4dd0310', 'hex');
    const without = Uint8Array.from(whole).fill(0, bindings, bindings + 16);
    const zeros = describeNtlmMessage(without);
    assert.equal(zeros.type === 'AUTHENTICATE' && zeros.clientInfo?.channelBindings, 'none (all zero)');
    const flagsAt = Buffer.from(whole).indexOf('0600040002000000', 'hex') + 4;
    const flagged = Uint8Array.from(whole);
    flagged.set([0x0f, 0, 0, 0x80], flagsAt);
    const allFlags = describeNtlmMessage(flagged);
    assert.deepEqual(allFlags.type === 'AUTHENTICATE' && allFlags.clientInfo?.flags, [
      ...['constrained authentication', 'MIC present', 'target name untrusted', '0x80000008'],
    ]);
    assert.deepEqual(described(length(0)), ['none', false, true]);
    assert.deepEqual(described(length(24)), ['NTLMv1', false, true]);
    assert.deepEqual(described(length(25)), ['malformed', false, true]);
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
