/** The error message after this library was bundled: koffi is a native module, and a bundle cannot hold it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { libraryLocation } from '../../src/native/koffi.ts';
import { runProcess } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

const source = fileURLToPath(new URL('../../src/native/koffi.ts', import.meta.url));

/** Bundles a program that loads koffi, and runs it in a folder without node_modules. */
async function runBundle(format: 'cjs' | 'esm'): Promise<string> {
  await using folder = await scratchFolder('bundle');
  const outfile = folder.file(format === 'cjs' ? 'main.cjs' : 'main.mjs');
  await build({
    stdin: {
      contents: `import { koffi } from ${JSON.stringify(source)};
try {
  koffi();
} catch ({ code, message }) {
  console.log(code, message);
}
`,
      resolveDir: folder.path,
    },
    bundle: true,
    platform: 'node',
    format,
    outfile,
    logLevel: 'silent',
  });
  return (await runProcess(process.execPath, [outfile])).stdout;
}

describe('koffi in a bundle', () => {
  it('as CommonJS: import.meta.url is missing, not koffi', async () => {
    const told = await runBundle('cjs');
    assert.match(told, /^ERR_SSPI_AUTH_NATIVE_LIBRARY .*bundled as CommonJS\. There import\.meta\.url is undefined/);
    assert.match(told, /Mark sspi-auth and koffi as external/);
    assert.doesNotMatch(told, /npm install/);
  });

  it('as an ES module without node_modules: says that it was not found, and that a bundle cannot hold it', async () => {
    const told = await runBundle('esm');
    assert.match(told, /^ERR_SSPI_AUTH_NATIVE_LIBRARY .*cannot be loaded: Cannot find module 'koffi'\. Install it/);
    assert.match(told, /npm install koffi.*mark koffi as external/);
  });
});

describe('where a library is opened', () => {
  const directory = (): string => 'C:\\Windows\\system32';

  it('on Windows: in the system directory, if it has no folder of its own', () => {
    assert.equal(libraryLocation('secur32.dll', 'win32', directory), 'C:\\Windows\\system32\\secur32.dll');
    for (const path of [
      'C:\\sspi\\mine.dll',
      '.\\mine.dll',
      './mine.dll',
      '\\\\server\\share\\mine.dll',
      'D:mine.dll',
    ]) {
      assert.equal(libraryLocation(path, 'win32', directory), path);
    }
  });

  it('elsewhere: where the loader finds it', () => {
    const never = (): string => assert.fail('there is no such directory');
    assert.equal(libraryLocation('libwinpr2.so.2', 'linux', never), 'libwinpr2.so.2');
    assert.equal(libraryLocation('/opt/lib/libgssapi.dylib', 'darwin', never), '/opt/lib/libgssapi.dylib');
  });
});
