/** Random bytes are given out once. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { randomBytes } from '../../src/foundation/random-pool.ts';
import { runChecked } from '../lab/process.ts';
import { scratchFolder } from '../lab/scratch.ts';

describe('random bytes from the pool', () => {
  it('are as many as were asked for, of their own memory, and never the same again', () => {
    const seen = new Set<string>();
    let total = 0;
    for (let round = 0; round < 200; round++) {
      for (const size of [0, 1, 16, 52, 255, 256, 257, 5000]) {
        const bytes = randomBytes(size);
        assert.equal(bytes.byteLength, size);
        assert.equal(bytes.buffer.byteLength, size);
        if (size < 16) continue;
        for (let at = 0; at + 16 <= size; at += 16, total++)
          seen.add(Buffer.from(bytes.subarray(at, at + 16)).toString('hex'));
      }
    }
    assert.equal(seen.size, total);
  });

  it('stay the holder’s: what is given out later does not change them', () => {
    const first = randomBytes(32);
    const copy = Uint8Array.from(first);
    for (let round = 0; round < 500; round++) randomBytes(100).fill(0);
    assert.deepEqual(first, copy);
  });

  it('are not the same in two processes that begin with one snapshot', async () => {
    await using folder = await scratchFolder('random-pool');
    const program = folder.file('program.cjs');
    await build({
      stdin: {
        contents: `import { startupSnapshot } from 'node:v8';
import { randomBytes } from ${JSON.stringify(fileURLToPath(new URL('../../src/foundation/random-pool.ts', import.meta.url)))};
randomBytes(16);
startupSnapshot.setDeserializeMainFunction(() => console.log(Buffer.from(randomBytes(16)).toString('hex')));`,
        resolveDir: folder.path,
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: program,
    });
    const blob = folder.file('snapshot.blob');
    await runChecked(process.execPath, ['--snapshot-blob', blob, '--build-snapshot', program]);
    const start = (): Promise<string> => runChecked(process.execPath, ['--snapshot-blob', blob]);
    const starts = [await start(), await start()];
    assert.match(starts[0] ?? '', /^[0-9a-f]{32}\n$/);
    assert.notEqual(starts[0], starts[1]);
  });
});
