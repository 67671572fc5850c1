import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { decodeKerbValidationInfo, MAX_SIDS } from '../../../src/formats/kerberos/kerb-validation-info.ts';
import {
  decodePac,
  decodePacClientInfo,
  decodePacSignature,
  decodeUpnDnsInfo,
  PAC_CLIENT_INFO,
  PAC_KDC_CHECKSUM,
  PAC_LOGON_INFO,
  PAC_SERVER_CHECKSUM,
  pacServerSignatureInput,
} from '../../../src/formats/kerberos/pac.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';

const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const [vector] = vectors(/^pac\.rc4/);
const pac = Buffer.from(vector!.expected, 'hex');
const bufferOf = (bytes: Buffer, type: number): Buffer => {
  const found = decodePac(bytes).find((buffer) => buffer.type === type);
  if (found === undefined) throw new Error(`no PAC buffer ${type}`);
  return Buffer.from(found.data);
};
const logonInfo = bufferOf(pac, PAC_LOGON_INFO);

/** KERB_CHECKSUM_HMAC_MD5 with key usage 17, RFC 4757 section 4. */
function hmacMd5(key: Buffer, data: Uint8Array): Buffer {
  const signing = createHmac('md5', key).update('signaturekey\0').digest();
  const usage = Buffer.alloc(4);
  usage.writeUInt32LE(17);
  return createHmac('md5', signing).update(createHash('md5').update(usage).update(data).digest()).digest();
}

describe('PACTYPE, MS-PAC 2.3', () => {
  it('has the buffers of the vector in order', () => {
    assert.deepEqual(
      decodePac(pac).map(({ type }) => type),
      [PAC_LOGON_INFO, PAC_CLIENT_INFO, PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM],
    );
  });

  it('the server signature of the vector covers what pacServerSignatureInput gives', () => {
    const { type, signature } = decodePacSignature(bufferOf(pac, PAC_SERVER_CHECKSUM));
    assert.equal(type, -138);
    const key = Buffer.from(String(vector!.inputs['serverKey(rc4)']), 'hex');
    assert.deepEqual(hmacMd5(key, pacServerSignatureInput(pac)), Buffer.from(signature));
    const kdc = decodePacSignature(bufferOf(pac, PAC_KDC_CHECKSUM));
    const kdcKey = Buffer.from(String(vector!.inputs['kdcKey(rc4)']), 'hex');
    assert.deepEqual(hmacMd5(kdcKey, signature), Buffer.from(kdc.signature));
  });

  it('PAC_CLIENT_INFO names client and time of the ticket', () => {
    const { name, clientId } = decodePacClientInfo(bufferOf(pac, PAC_CLIENT_INFO));
    assert.equal(name, String(vector!.inputs['principal']).split('@')[0]);
    // FILETIME of authtime: seconds between 1601 and 1970, then 100 ns.
    assert.equal(clientId, (BigInt(Number(vector!.inputs['authtime'])) + 11_644_473_600n) * 10_000_000n);
  });

  const altered = (alter: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(pac);
    alter(bytes);
    return bytes;
  };
  const malformed: readonly (readonly [string, Buffer, RegExp])[] = [
    ['D12: cBuffers 2^32-1', altered((b) => b.writeUInt32LE(0xffffffff, 0)), /cBuffers/],
    ['D12: cBuffers beyond the bytes', altered((b) => b.writeUInt32LE(64, 0)), /./],
    ['another version', altered((b) => b.writeUInt32LE(1, 4)), /Version/],
    ['D12: an offset that wraps 64 bits', altered((b) => b.writeBigUInt64LE(0xfffffffffffffff8n, 16)), /Offset/],
    ['D12: a size that wraps 32 bits', altered((b) => b.writeUInt32LE(0xffffffff, 12)), /Offset/],
    ['an offset that is no multiple of eight', altered((b) => b.writeBigUInt64LE(73n, 16)), /Offset/],
    ['an offset inside the headers', altered((b) => b.writeBigUInt64LE(8n, 16)), /Offset/],
  ];
  it('an error says where its field begins', () => {
    const offset = (bytes: Buffer): number | undefined => {
      try {
        decodePac(bytes);
      } catch (error) {
        if (error instanceof MalformedTokenError) return error.offset;
        throw error;
      }
      return undefined;
    };
    assert.equal(offset(altered((b) => b.writeUInt32LE(65, 0))), 0);
    assert.equal(offset(altered((b) => b.writeUInt32LE(1, 4))), 4);
    assert.equal(offset(altered((b) => b.writeBigUInt64LE(73n, 16))), 16);
  });
  for (const [name, bytes, message] of malformed) {
    it(`${name} is malformed`, () => assert.throws(() => decodePac(bytes), message));
  }

  it('D12: has as many buffers as its bound, and no more; they may reach to its end and no further', () => {
    const of = (count: number, size = 0): Buffer => {
      const bytes = Buffer.alloc(8 + 16 * count + 8);
      bytes.writeUInt32LE(count);
      for (let index = 0; index < count; index++) {
        bytes.writeUInt32LE(index + 1, 8 + 16 * index);
        bytes.writeUInt32LE(size, 8 + 16 * index + 4);
        bytes.writeUInt32LE(8 + 16 * count, 8 + 16 * index + 8);
      }
      return bytes;
    };
    assert.equal(decodePac(of(64)).length, 64);
    assert.throws(() => decodePac(of(65)), /65 is above 64/);
    assert.deepEqual(
      decodePac(of(2, 8)).map(({ data }) => data.byteLength),
      [8, 8],
    );
    assert.throws(() => decodePac(of(2, 9)), /are not inside the PAC/);
  });

  it('D12: the first buffer of a type counts, later ones do not', () => {
    const twice = altered((b) => b.writeUInt32LE(PAC_LOGON_INFO, 8 + 16));
    assert.deepEqual(bufferOf(twice, PAC_LOGON_INFO), logonInfo);
    assert.equal(decodePac(twice).length, 3);
  });

  it('D12: signatures without a key are no signatures', () => {
    for (const type of [0, 1, 2, 7, 8, -137, 17, 18]) {
      const bytes = Buffer.alloc(20);
      bytes.writeInt32LE(type);
      assert.throws(() => decodePacSignature(bytes), /SignatureType/, String(type));
    }
    const rodc = Buffer.concat([bufferOf(pac, PAC_SERVER_CHECKSUM), Buffer.of(1, 0)]);
    assert.equal(decodePacSignature(rodc).signature.byteLength, 16);
    assert.throws(() => decodePacSignature(Buffer.concat([rodc, Buffer.of(0)])), /too many/);
    assert.throws(() => pacServerSignatureInput(altered((b) => b.writeUInt32LE(99, 8 + 32))), /type 6/);
  });
});

describe('KERB_VALIDATION_INFO, MS-PAC 2.5', () => {
  it('is read as MIT krb5 and Samba describe the vector', () => {
    const info = decodeKerbValidationInfo(logonInfo);
    const { groupIds, extraSids, ...rest } = info;
    assert.equal(rest.effectiveName, 'W2003FINAL$');
    assert.equal(rest.logonDomainName, 'WIN2K3THINK');
    assert.equal(rest.logonServer, 'W2003FINAL');
    assert.match(rest.logonDomainId, /^S-1-5-21-\d+-\d+-\d+$/);
    assert.equal(rest.userId, 1005);
    assert.equal(rest.primaryGroupId, 516);
    assert.deepEqual(groupIds, [{ relativeId: 516, attributes: 7 }]);
    assert.deepEqual(
      extraSids.map(({ sid }) => sid),
      ['S-1-5-9'],
    );
  });

  it('A03: every prefix is malformed', () => {
    for (let length = 0; length < logonInfo.byteLength - 8; length++) {
      assert.throws(() => decodeKerbValidationInfo(logonInfo.subarray(0, length)), MalformedTokenError, String(length));
    }
  });

  // Offsets from the start of the buffer: headers 20, times 48, strings 48, counts 4.
  const userId = 20 + 48 + 48 + 4;
  const altered = (alter: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(logonInfo);
    alter(bytes);
    return bytes;
  };
  const malformed: readonly (readonly [string, (bytes: Buffer) => void])[] = [
    ['D15: GroupCount 2^31', (b) => b.writeUInt32LE(0x80000000, userId + 8)],
    ['D15: GroupCount above the array', (b) => b.writeUInt32LE(2, userId + 8)],
    ['D15: GroupIds is a null pointer', (b) => b.writeUInt32LE(0, userId + 12)],
    ['D15: LogonDomainId is a null pointer', (b) => b.writeUInt32LE(0, userId + 12 + 4 + 4 + 16 + 8 + 8)],
    ['D15: SidCount above the array', (b) => b.writeUInt32LE(255, userId + 96)],
    ['the structure is a null pointer', (b) => b.writeUInt32LE(0, 16)],
    ['big-endian', (b) => (b[1] = 0)],
    ['another NDR version', (b) => (b[0] = 2)],
    ['a length that is not that of the bytes', (b) => b.writeUInt32LE(0x7fffffff, 8)],
    ['a name of odd length', (b) => b.writeUInt16LE(21, 20 + 48)],
    ['a name longer than its maximum', (b) => b.writeUInt16LE(0xfffe, 20 + 48)],
  ];
  for (const [name, alter] of malformed) {
    it(`${name} is malformed`, () =>
      assert.throws(() => decodeKerbValidationInfo(altered(alter)), MalformedTokenError));
  }

  it('D15: a SID with 255 sub-authorities, or a count beside its conformance, is malformed', () => {
    const sid = logonInfo.indexOf(Buffer.from('010400000000000515000000', 'hex'));
    assert.ok(sid > 0, String(sid));
    assert.throws(() => decodeKerbValidationInfo(altered((b) => (b[sid + 1] = 255))), MalformedTokenError);
    assert.throws(() => decodeKerbValidationInfo(altered((b) => b.writeUInt32LE(255, sid - 4))), MalformedTokenError);
    assert.throws(() => decodeKerbValidationInfo(altered((b) => (b[sid] = 2))), MalformedTokenError);
  });

  it('D15: groups of the resource domain need its SID, be it only one', () => {
    const domain = '04000000' + '0104000000000005150000000100000002000000' + '03000000';
    const withGroup = (sid: string): Buffer => {
      // The last four bytes only fill the buffer up.
      const tail = Buffer.from(`${sid}010000000902000007000000`, 'hex');
      const bytes = Buffer.concat([logonInfo.subarray(0, -4), tail]);
      bytes.writeUInt32LE(bytes.byteLength - 16, 8);
      bytes.writeUInt32LE(sid === '' ? 0 : 0x20030, userId + 104);
      bytes.writeUInt32LE(1, userId + 108);
      bytes.writeUInt32LE(0x20034, userId + 112);
      return bytes;
    };
    const info = decodeKerbValidationInfo(withGroup(domain));
    assert.equal(info.resourceGroupDomainSid, 'S-1-5-21-1-2-3');
    assert.deepEqual(info.resourceGroupIds, [{ relativeId: 521, attributes: 7 }]);
    assert.throws(() => decodeKerbValidationInfo(withGroup('')), /ResourceGroupDomainSid: is missing/);
  });

  it('D15: mutations give a value within bounds or MalformedTokenError, and never run long', () => {
    const mutation = fc.record({ at: fc.nat(logonInfo.byteLength - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = altered((b) => {
          for (const { at, value } of mutations) b[at] = value;
        });
        try {
          const { groupIds, extraSids, resourceGroupIds } = decodeKerbValidationInfo(bytes);
          assert.ok(groupIds.length + extraSids.length + resourceGroupIds.length <= 3 * MAX_SIDS, 'too many groups');
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
      { numRuns },
    );
  });

  it('D12: mutated PACs give buffers inside the PAC or MalformedTokenError', () => {
    const mutation = fc.record({ at: fc.nat(8 + 16 * 4 + 8), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), fc.nat(pac.byteLength), (mutations, length) => {
        const bytes = Buffer.from(pac.subarray(0, length));
        for (const { at, value } of mutations) if (at < length) bytes[at] = value;
        try {
          for (const { offset, data } of decodePac(bytes)) {
            assert.ok(offset + data.byteLength <= length, `${offset} ${data.byteLength}`);
          }
          pacServerSignatureInput(bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError, String(error));
        }
      }),
      { numRuns },
    );
  });
});

describe('UPN_DNS_INFO, MS-PAC 2.10', () => {
  // alice@corp.example.test of a Samba domain, in the extended form: sAMAccountName and SID behind the two names.
  const text = (value: string): Buffer => Buffer.from(value, 'utf16le');
  const sid = Buffer.from('010500000000000515000000010000000200000003000000f4010000', 'hex');
  const build = (flags: number): Buffer => {
    const parts = [text('alice@corp.test'), text('CORP.TEST'), text('alice'), sid];
    const head = Buffer.alloc(24);
    let at = 24;
    for (const [index, part] of parts.entries()) {
      const field = index < 2 ? index * 4 : 12 + (index - 2) * 4;
      head.writeUInt16LE(part.byteLength, field);
      head.writeUInt16LE(at, field + 2);
      at += part.byteLength;
    }
    head.writeUInt32LE(flags, 8);
    return Buffer.concat([head, ...parts]);
  };
  it('gives names, and account and SID where it is extended', () => {
    const names = { upn: 'alice@corp.test', dnsDomainName: 'CORP.TEST' };
    const none = { samName: undefined, sid: undefined };
    assert.deepEqual(decodeUpnDnsInfo(build(0)), { ...names, upnIsConstructed: false, ...none });
    const extended = { upnIsConstructed: true, samName: 'alice', sid: 'S-1-5-21-1-2-3-500' };
    assert.deepEqual(decodeUpnDnsInfo(build(3)), { ...names, ...extended });
  });
  it('a part outside the buffer is malformed', () => {
    for (const field of [0, 2, 4, 6, 12, 14, 16, 18]) {
      const bytes = build(2);
      bytes.writeUInt16LE(0xfff0, field);
      assert.throws(() => decodeUpnDnsInfo(bytes), MalformedTokenError, String(field));
    }
  });
});
