/** The layouts and functions against the Windows headers themselves, by a compiler for Windows: x64, and ia32 where it can. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import {
  accountFunctions,
  certificateFunctions,
  handleFunctions,
  keyFunctions,
  keySetFunctions,
  layoutOf,
  nameFunctions,
  securityFunctions,
  storeFunctions,
  structures,
  tokenFunctions,
} from '../../../src/native/secur32/declarations.ts';
import type { StructureName } from '../../../src/native/secur32/declarations.ts';
import * as Tls from '../../../src/native/secur32/tls-structures.ts';
import * as Attribute from '../../../src/sspi/attributes.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('wine');

/** Names in sspi.h that differ from the structure's. */
const headerNames: Readonly<Partial<Record<StructureName, string>>> = {
  TimeStamp: 'SECURITY_INTEGER',
  SecPkgContext_ClientSpecifiedTarget: 'SecPkgContext_ClientSpecifiedTarget',
};

/** An argument of each type. */
const values: Readonly<Record<string, string>> = { 'void *': 'pointer', str16: 'pointer', uint32: 'number' };

/** Constants that Windows names. */
const constants = Object.entries({
  SCHANNEL_CRED_VERSION: Tls.SCHANNEL_CRED_VERSION,
  SCH_CREDENTIALS_VERSION: Tls.SCH_CREDENTIALS_VERSION,
  SCH_CRED_NO_SYSTEM_MAPPER: Tls.SCH_CRED_NO_SYSTEM_MAPPER,
  SCH_CRED_DISABLE_RECONNECTS: Tls.SCH_CRED_DISABLE_RECONNECTS,
  SCH_USE_STRONG_CRYPTO: Tls.SCH_USE_STRONG_CRYPTO,
  CredsspPasswordCreds: Tls.CREDSSP_PASSWORD_CREDS,
  SSL_SESSION_RECONNECT: Tls.SSL_SESSION_RECONNECT,
  SP_PROT_TLS1_2_SERVER: Attribute.SP_PROT_TLS1_2_SERVER,
  SP_PROT_TLS1_3_SERVER: Attribute.SP_PROT_TLS1_3_SERVER,
  SECPKG_ATTR_REMOTE_CERT_CONTEXT: Attribute.SECPKG_ATTR_REMOTE_CERT_CONTEXT,
  SECPKG_ATTR_LOCAL_CERT_CONTEXT: Attribute.SECPKG_ATTR_LOCAL_CERT_CONTEXT,
  SECPKG_ATTR_CONNECTION_INFO: Attribute.SECPKG_ATTR_CONNECTION_INFO,
  SECPKG_ATTR_CIPHER_INFO: Attribute.SECPKG_ATTR_CIPHER_INFO,
  SECPKG_ATTR_SESSION_INFO: Attribute.SECPKG_ATTR_SESSION_INFO,
  SECPKG_ATTR_STREAM_SIZES: Attribute.SECPKG_ATTR_STREAM_SIZES,
  SECPKG_ATTR_UNIQUE_BINDINGS: Attribute.SECPKG_ATTR_UNIQUE_BINDINGS,
  SECPKG_ATTR_ENDPOINT_BINDINGS: Attribute.SECPKG_ATTR_ENDPOINT_BINDINGS,
}).map(([name, value]) => `_Static_assert(${name} == ${value}, "${name}");`);

function assertions(pointerBytes: 4 | 8): string {
  const lines = (Object.keys(structures) as StructureName[]).flatMap((name) => {
    const type = headerNames[name] ?? name;
    const { size, offsets } = layoutOf(name, pointerBytes);
    return [
      // TOKEN_GROUPS ends in an array of one, which the layout does not count.
      ...(name === 'TOKEN_GROUPS' ? [] : [`_Static_assert(sizeof(${type}) == ${size}, "${name}");`]),
      ...Object.entries<number>(offsets).map(
        ([field, offset]) => `_Static_assert(offsetof(${type}, ${field}) == ${offset}, "${name}.${field}");`,
      ),
    ];
  });
  // A function that the headers do not declare would not compile, nor one with another number of parameters.
  const tables = {
    ...{ ...securityFunctions, ...tokenFunctions, ...nameFunctions, ...handleFunctions, ...accountFunctions },
    ...{ ...storeFunctions, ...certificateFunctions, ...keySetFunctions, ...keyFunctions },
  };
  const calls = Object.entries<readonly string[]>(tables).map(
    ([name, parameters]) => `__typeof__(${name}(${parameters.map((type) => values[type]).join(', ')})) *call_${name};`,
  );
  return [
    '#define SECURITY_WIN32',
    '#include <windows.h>',
    '#include <security.h>',
    '#include <ntsecapi.h>',
    '#define SCHANNEL_USE_BLACKLISTS',
    '#include <schannel.h>',
    '#include <credssp.h>',
    '#include <wincrypt.h>',
    '#include <ncrypt.h>',
    '#include <stddef.h>',
    'void *pointer;',
    'ULONG number;',
    ...lines,
    ...constants,
    ...calls,
    '',
  ].join('\n');
}

describe('the layouts in the headers of mingw-w64', ready, () => {
  for (const [name, pointerBytes, flags] of [
    ['x64', 8, []],
    // The compiler has no 32-bit libraries, and needs none to check types.
    ['ia32', 4, ['-m32']],
  ] as const) {
    it(`are those of ${name}`, async () => {
      await using folder = await scratchFolder('headers');
      await writeFile(folder.file('layouts.c'), assertions(pointerBytes));
      const words = ['-fsyntax-only', '-w', ...flags, folder.file('layouts.c')];
      const { code, stderr } = await runProcess('x86_64-w64-mingw32-gcc', words);
      assert.equal(code, 0, stderr);
    });
  }

  it('would notice a wrong one', async () => {
    await using folder = await scratchFolder('headers');
    await writeFile(folder.file('layouts.c'), assertions(4));
    const { code, stderr } = await runProcess('x86_64-w64-mingw32-gcc', [
      '-fsyntax-only',
      '-w',
      folder.file('layouts.c'),
    ]);
    assert.notEqual(code, 0);
    assert.match(stderr, /SecBuffer/);
  });
});
