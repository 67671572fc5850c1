/** The TypeScript and JavaScript of the documents runs: each block as a module, on a server with a keytab. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { onAnyPort } from '../../lab/any-port.ts';
import { selfSigned } from '../../lab/certificates.ts';
import { blocksIn } from '../../lab/document-blocks.ts';
import { codeBlocks, documents, root } from '../../lab/documents.ts';
import { startKdc } from '../../lab/kdc.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('documents');

/** Imports every file that it is given, one after the other, and prints what went wrong with which. */
const runner = `
console.log = console.info = console.warn = console.error = () => undefined;
const tell = (text) => process.stdout.write(text + '\\n');
process.on('uncaughtException', (error) => tell('uncaught: ' + error.message));
for (const file of process.argv.slice(2)) {
  try { await import(file); tell('ran ' + file); } catch (error) { tell(file + ': ' + error.message.split('\\n')[0]); }
}
process.exit(0);
`;

describe('the code of the documents', ready, () => {
  it('runs, each block for itself', async () => {
    await using kdc = await startKdc();
    await using folder = await scratchFolder('blocks');
    await symlink(join(root, 'node_modules'), folder.file('node_modules'));
    await writeFile(folder.file('package.json'), '{ "type": "module" }');
    await writeFile(folder.file('runner.mjs'), runner);
    await writeFile(
      folder.file('smbpasswd'),
      `alice:1000:${'X'.repeat(32)}:${'A'.repeat(32)}:[U          ]:LCT-6B0C5411:\n`,
      { mode: 0o600 },
    );
    const { key, cert } = await selfSigned();
    await writeFile(folder.file('credssp.key'), key);
    await writeFile(folder.file('credssp.crt'), cert);
    const files: string[] = [];
    for (const [path, markdown] of documents()) {
      const left = new Set(
        blocksIn(path, markdown).flatMap(({ notRun, line }) => (notRun === undefined ? [] : [line])),
      );
      for (const { file, code, line } of codeBlocks(markdown)) {
        // A module for others, or one that says what it has by `declare`, stands for something of its reader.
        const name = code.includes('require(') && !code.includes('import ') ? file.replace(/\.ts$/, '.cjs') : file;
        const place = folder.file('blocks', path, name);
        await mkdir(dirname(place), { recursive: true });
        const own = code
          .replaceAll('/etc/http.keytab', kdc.keytab)
          .replaceAll('/etc/sspi-auth/smbpasswd', folder.file('smbpasswd'))
          .replaceAll('/etc/credssp', folder.file('credssp'));
        await writeFile(place, own);
        if (!left.has(line) && !/^declare |^export /m.test(code)) files.push(place);
      }
    }
    assert.ok(files.length >= 25, `${files.length} blocks`);
    const words = ['--import', import.meta.resolve('tsx'), ...onAnyPort, folder.file('runner.mjs'), ...files];
    const own = { UV_THREADPOOL_SIZE: '17', PASSWORD: 'Wonderland-7', CERT: cert, KEY: key };
    const env = { ...kdc.env, ...own, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
    const { stdout, stderr } = await runProcess(process.execPath, words, { cwd: folder.path, env });
    // Beside what the runner tells there are ports, and lines of pino.
    const lines = stdout.split('\n').filter((line) => line !== '' && !/^(?:port: |\{"level":)/.test(line));
    assert.deepEqual(
      lines.map((line) => line.replaceAll(`${folder.path}/blocks/`, '')),
      files.map((file) => `ran ${file}`.replaceAll(`${folder.path}/blocks/`, '')),
      stderr,
    );
  });
});
