/** The layouts against sspi.h as documented, for every architecture, and against koffi on this one. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import type * as Koffi from 'koffi';
import { layoutOf, layouts, pointerBytes, pointerSizes, structures } from '../../../src/native/secur32/declarations.ts';
import type { FieldType, StructureName } from '../../../src/native/secur32/declarations.ts';

/** Size, then the offset of each field in order. */
type Row = readonly [size: number, ...offsets: number[]];

/** Written down by hand from the headers; x64 and arm64 are the same. */
const documented: Readonly<Record<StructureName, { readonly wide: Row; readonly ia32: Row }>> = {
  SecHandle: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  TimeStamp: { wide: [8, 0, 4], ia32: [8, 0, 4] },
  SecBuffer: { wide: [16, 0, 4, 8], ia32: [12, 0, 4, 8] },
  SecBufferDesc: { wide: [16, 0, 4, 8], ia32: [12, 0, 4, 8] },
  SecPkgInfoW: { wide: [32, 0, 4, 6, 8, 16, 24], ia32: [20, 0, 4, 6, 8, 12, 16] },
  SecPkgContext_Sizes: { wide: [16, 0, 4, 8, 12], ia32: [16, 0, 4, 8, 12] },
  SecPkgContext_NamesW: { wide: [8, 0], ia32: [4, 0] },
  SecPkgContext_NativeNamesW: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  SecPkgContext_PackageInfoW: { wide: [8, 0], ia32: [4, 0] },
  SecPkgContext_NegotiationInfoW: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  SecPkgContext_SessionKey: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  SecPkgContext_Flags: { wide: [4, 0], ia32: [4, 0] },
  SecPkgContext_ClientSpecifiedTarget: { wide: [8, 0], ia32: [4, 0] },
  SecPkgContext_AccessToken: { wide: [8, 0], ia32: [4, 0] },
  SEC_CHANNEL_BINDINGS: { wide: [32, 0, 4, 8, 12, 16, 20, 24, 28], ia32: [32, 0, 4, 8, 12, 16, 20, 24, 28] },
  SEC_WINNT_AUTH_IDENTITY_EXW: {
    wide: [72, 0, 4, 8, 16, 24, 32, 40, 48, 52, 56, 64],
    ia32: [44, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40],
  },
  LSA_UNICODE_STRING: { wide: [16, 0, 2, 8], ia32: [8, 0, 2, 4] },
  LSA_OBJECT_ATTRIBUTES: { wide: [48, 0, 8, 16, 24, 32, 40], ia32: [24, 0, 4, 8, 12, 16, 20] },
  LSA_REFERENCED_DOMAIN_LIST: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  LSA_TRUST_INFORMATION: { wide: [24, 0, 16], ia32: [12, 0, 8] },
  LSA_TRANSLATED_NAME: { wide: [32, 0, 8, 24], ia32: [16, 0, 4, 12] },
  SID_AND_ATTRIBUTES: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  TOKEN_GROUPS: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  CRYPT_DATA_BLOB: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  CERT_CONTEXT: { wide: [40, 0, 8, 16, 24, 32], ia32: [20, 0, 4, 8, 12, 16] },
  CRYPT_KEY_PROV_INFO: { wide: [48, 0, 8, 16, 20, 24, 32, 40], ia32: [28, 0, 4, 8, 12, 16, 20, 24] },
  SCHANNEL_CRED: {
    wide: [80, 0, 4, 8, 16, 24, 32, 40, 48, 56, 60, 64, 68, 72, 76],
    ia32: [56, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52],
  },
  SCH_CREDENTIALS: {
    wide: [72, 0, 4, 8, 16, 24, 32, 40, 48, 52, 56, 64],
    ia32: [44, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40],
  },
  TLS_PARAMETERS: { wide: [40, 0, 8, 16, 20, 24, 32], ia32: [24, 0, 4, 8, 12, 16, 20] },
  CREDSSP_CRED: { wide: [24, 0, 8, 16], ia32: [12, 0, 4, 8] },
  SecPkgContext_StreamSizes: { wide: [20, 0, 4, 8, 12, 16], ia32: [20, 0, 4, 8, 12, 16] },
  SecPkgContext_Bindings: { wide: [16, 0, 8], ia32: [8, 0, 4] },
  SecPkgContext_ConnectionInfo: { wide: [28, 0, 4, 8, 12, 16, 20, 24], ia32: [28, 0, 4, 8, 12, 16, 20, 24] },
  SecPkgContext_CipherInfo: {
    wide: [680, 0, 4, 8, 12, 16, 144, 272, 276, 280, 408, 412, 540, 544, 548, 676],
    ia32: [680, 0, 4, 8, 12, 16, 144, 272, 276, 280, 408, 412, 540, 544, 548, 676],
  },
  SecPkgContext_ApplicationProtocol: { wide: [264, 0, 4, 8, 9], ia32: [264, 0, 4, 8, 9] },
  SecPkgContext_SessionInfo: { wide: [40, 0, 4, 8], ia32: [40, 0, 4, 8] },
};

const names = Object.keys(structures) as StructureName[];

describe('layouts of SSPI', () => {
  for (const [architecture, bytes] of Object.entries(pointerSizes)) {
    it(`are as documented on ${architecture}`, () => {
      for (const name of names) {
        const { size, offsets } = layoutOf(name, bytes);
        const expected = documented[name][architecture === 'ia32' ? 'ia32' : 'wide'];
        assert.deepEqual([size, ...Object.values<number>(offsets)], expected, name);
      }
    });
  }

  it('are those of this process', () => {
    for (const name of names) assert.deepEqual(layouts[name], layoutOf(name, pointerBytes), name);
  });

  it('are what koffi lays out on this machine (sizeof, offsetof)', () => {
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const string = koffi.struct({ Length: 'uint16_t', MaximumLength: 'uint16_t', Buffer: 'void *' });
    const bytes = (length: number): Koffi.TypeObject => koffi.array('uint8_t', length);
    const types: Readonly<Record<FieldType, Koffi.TypeObject | string>> = {
      u8: 'uint8_t',
      u16: 'uint16_t',
      text64: koffi.array('uint16_t', 64),
      bytes32: bytes(32),
      bytes255: bytes(255),
      u32: 'uint32_t',
      pointer: 'void *',
      string,
    };
    assert.equal(koffi.sizeof('void *'), pointerBytes);
    for (const name of names) {
      const fields: Readonly<Record<string, FieldType>> = structures[name];
      const type = koffi.struct(
        Object.fromEntries(Object.entries(fields).map(([field, fieldType]) => [field, types[fieldType]])),
      );
      assert.equal(koffi.sizeof(type), layouts[name].size, name);
      for (const [field, offset] of Object.entries<number>(layouts[name].offsets)) {
        assert.equal(koffi.offsetof(type, field), offset, `${name}.${field}`);
      }
    }
  });
});
