import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { createAuthenticator } from '../../../src/index.ts';
import { secur32Packages } from '../../../src/native/secur32/index.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';

const missing = { code: 'ERR_SSPI_AUTH_NATIVE_LIBRARY' };

describe('an SSPI library', () => {
  it('has to be named where the system has none of its own', { skip: process.platform === 'win32' }, () => {
    assert.throws(() => secur32Packages(), { ...missing, message: /only Windows has SSPI\..*libwinpr2/ });
    assert.throws(() => createAuthenticator({ provider: 'secur32' }), missing);
  });

  it('is named in the error where it is not there', () => {
    assert.throws(() => secur32Packages('libnothing-of-the-kind.so.9'), {
      ...missing,
      message: /"libnothing-of-the-kind\.so\.9" cannot be loaded/,
    });
  });

  it('must have the functions of SSPI', { skip: process.platform !== 'linux' }, () => {
    assert.throws(() => secur32Packages('libm.so.6'), {
      ...missing,
      message: /"libm\.so\.6" has no function EnumerateSecurityPackagesW: it is not an SSPI library/,
    });
  });

  it('needs koffi, and says how to get it', async () => {
    await using folder = await scratchFolder('no-koffi');
    const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    await writeFile(
      folder.file('main.mjs'),
      `import Module from 'node:module';
const load = Module._load;
Module._load = (request, ...rest) => {
  if (request === 'koffi') throw Object.assign(new Error("Cannot find module 'koffi'"), { code: 'MODULE_NOT_FOUND' });
  return load(request, ...rest);
};
const { secur32Packages } = await import(${url('../../../src/native/secur32/index.ts')});
try {
  secur32Packages('libwinpr2.so.2');
} catch ({ code, message }) {
  console.log(code, message);
}
`,
    );
    const words = ['--import', import.meta.resolve('tsx'), folder.file('main.mjs')];
    const { stdout, stderr } = await runProcess(process.execPath, words);
    assert.match(stdout, /^ERR_SSPI_AUTH_NATIVE_LIBRARY .*npm install koffi; the binary is @koromix\/koffi-/, stderr);
  });
});
