/** The layouts and functions against the Windows headers themselves, by a compiler for Windows: x64, and ia32 where it can. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import {
  accountFunctions,
  handleFunctions,
  layoutOf,
  nameFunctions,
  securityFunctions,
  structures,
  tokenFunctions,
} from '../../../src/native/secur32/declarations.ts';
import type { StructureName } from '../../../src/native/secur32/declarations.ts';
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
  const tables = { ...securityFunctions, ...tokenFunctions, ...nameFunctions, ...handleFunctions, ...accountFunctions };
  const calls = Object.entries<readonly string[]>(tables).map(
    ([name, parameters]) => `__typeof__(${name}(${parameters.map((type) => values[type]).join(', ')})) *call_${name};`,
  );
  return [
    '#define SECURITY_WIN32',
    '#include <windows.h>',
    '#include <security.h>',
    '#include <ntsecapi.h>',
    '#include <stddef.h>',
    'void *pointer;',
    'ULONG number;',
    ...lines,
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
