/** The tables of libraries: their structures against koffi on this machine, Apple's against its headers and export lists. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import koffi from 'koffi';
import { gssFunctions, krb5Functions } from '../../../../src/native/gssapi/call/gssapi-functions.ts';
import {
  heimdalGssFunctions,
  heimdalKrb5Functions,
  heimdalOids,
} from '../../../../src/native/gssapi/call/heimdal-functions.ts';
import {
  gssapiLayout,
  gssapiLocationOf,
  gssapiLocations,
  implementationOf,
} from '../../../../src/native/gssapi/call/layout.ts';

const gssFramework = '/System/Library/Frameworks/GSS.framework/GSS';

/** Members of a C structure: bytes and alignment. */
type Member = readonly [size: number, alignment: number];
const uint32: Member = [4, 4];
const pointer: Member = [8, 8];
/** gss_buffer_desc { size_t; void * }. */
const buffer: Member = [16, 8];

/** Offsets as a compiler gives them under `#pragma pack(pack)`. */
function offsets(members: readonly Member[], pack: number): number[] {
  let at = 0;
  return members.map(([size, alignment]) => {
    const own = Math.min(alignment, pack);
    const offset = Math.ceil(at / own) * own;
    at = offset + size;
    return offset;
  });
}

const bindings = [uint32, buffer, uint32, buffer, buffer];

describe('layouts of GSSAPI', () => {
  const cases = [
    ['MIT krb5 on Linux', 'libgssapi_krb5.so.2', 'linux', 'x64', 8],
    ['Heimdal on Linux, ARM', 'libgssapi.so.3', 'linux', 'arm64', 8],
    ['MIT krb5 of Homebrew, Intel', '/usr/local/opt/krb5/lib/libgssapi_krb5.dylib', 'darwin', 'x64', 8],
    ['MIT krb5 of Homebrew, ARM', '/opt/homebrew/opt/krb5/lib/libgssapi_krb5.dylib', 'darwin', 'arm64', 8],
    // gssapi.h of GSS.framework: pragma pack(push,2) for __ppc__, __ppc64__, __i386__ and __x86_64__.
    ["Apple's, Intel", gssFramework, 'darwin', 'x64', 2],
    ["Apple's, ARM", gssFramework, 'darwin', 'arm64', 8],
  ] as const;
  for (const [name, library, platform, architecture, pack] of cases) {
    it(name, () => {
      const layout = gssapiLayout(gssapiLocationOf(library), platform, architecture);
      assert.equal(layout.oidElements, offsets([uint32, pointer], pack)[1]);
      const [, initiatorAddress, acceptorAddressType, acceptorAddress, applicationData] = offsets(bindings, pack);
      assert.deepEqual(layout.bindings, { initiatorAddress, acceptorAddressType, acceptorAddress, applicationData });
    });
  }

  it('are those of the C compiler on this machine', () => {
    const layout = gssapiLayout(gssapiLocationOf('libgssapi.so.3'), 'linux', 'x64');
    const desc = koffi.struct({ length: 'size_t', value: 'void *' });
    const structure = koffi.struct({ a: 'uint32_t', b: desc, c: 'uint32_t', d: desc, e: desc });
    assert.equal(koffi.offsetof(koffi.struct({ length: 'uint32_t', elements: 'void *' }), 'elements'), 8);
    assert.deepEqual(
      ['b', 'c', 'd', 'e'].map((member) => koffi.offsetof(structure, member)),
      Object.values(layout.bindings),
    );
  });
});

describe('libraries of GSSAPI', () => {
  it('MIT krb5 comes before all others, and Windows has none', () => {
    assert.deepEqual(
      gssapiLocations('linux').map(({ gssapi }) => gssapi),
      ['libgssapi_krb5.so.2', 'libgssapi.so.3'],
    );
    assert.match(gssapiLocations('darwin')[0]?.gssapi ?? '', /homebrew.*libgssapi_krb5/);
    assert.deepEqual(gssapiLocations('win32'), []);
  });

  it("Apple's comes last, with the krb5 functions of its own Heimdal", () => {
    const last = gssapiLocations('darwin').at(-1);
    assert.deepEqual(last, gssapiLocationOf(gssFramework));
    assert.equal(last.krb5, '/System/Library/PrivateFrameworks/Heimdal.framework/Heimdal');
  });

  it('are told by their symbols', () => {
    const exporting = (...symbols: string[]) => implementationOf((symbol) => symbols.includes(symbol));
    assert.equal(exporting('gss_accept_sec_context', 'gss_mech_krb5'), 'MIT');
    assert.equal(exporting('gss_accept_sec_context', '__gss_krb5_mechanism_oid_desc'), 'Heimdal');
    assert.equal(exporting('gss_accept_sec_context'), undefined);
  });
});

describe("what is bound of Apple's frameworks", () => {
  /** Those of our symbols that Apple's published lists name without `,private`, which renames them. */
  const gss = `gss_accept_sec_context gss_release_cred gss_display_name gss_release_name gss_release_buffer
    gss_delete_sec_context gss_display_status gss_inquire_sec_context_by_oid gss_release_buffer_set gss_get_mic
    gss_verify_mic gss_wrap gss_unwrap gss_inquire_context gss_set_cred_option gss_export_name gss_krb5_copy_ccache
    __gss_krb5_mechanism_oid_desc __gss_krb5_import_cred_x_oid_desc
    __gss_krb5_extract_authz_data_from_sec_context_x_oid_desc __gss_krb5_get_authtime_x_oid_desc
    __gss_krb5_get_service_keyblock_x_oid_desc __gss_krb5_get_subkey_x_oid_desc
    __gss_krb5_get_initiator_subkey_x_oid_desc`.split(/\s+/);
  const krb5 =
    `krb5_init_context krb5_free_context krb5_kt_default_name krb5_kt_resolve krb5_kt_close krb5_kt_start_seq_get
    krb5_kt_next_entry krb5_kt_end_seq_get krb5_kt_add_entry krb5_kt_free_entry krb5_unparse_name krb5_xfree krb5_get_max_time_skew krb5_pac_parse
    krb5_pac_verify krb5_pac_free krb5_parse_name krb5_free_principal krb5_crypto_init krb5_crypto_destroy krb5_decrypt
    krb5_data_free krb5_cc_resolve krb5_cc_close`.split(/\s+/);

  it('is in the list of GSS.framework', () => {
    const bound = Object.values({ ...gssFunctions, ...heimdalGssFunctions }).map(([symbol]) => symbol);
    for (const symbol of [...bound, ...Object.values(heimdalOids)]) assert.ok(gss.includes(symbol), symbol);
  });

  it('is in the list of Heimdal.framework', () => {
    for (const [symbol] of Object.values({ ...krb5Functions, ...heimdalKrb5Functions })) {
      assert.ok(krb5.includes(symbol), symbol);
    }
  });
});
