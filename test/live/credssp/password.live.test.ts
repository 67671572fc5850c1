/** G04: where a password goes that a client gave away: into no log, no error, no inspected object and no string. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ntowfv1 } from '../../../src/crypto/ntlm-keys.ts';
import { startFreeRdp } from '../../lab/freerdp.ts';
import type { FreeRdp } from '../../lab/freerdp.ts';
import { startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { full } from '../../lab/matrix.ts';
import { tier } from '../../lab/tier.ts';

const script = fileURLToPath(new URL('password-holder.ts', import.meta.url));

/** How often a text is in the memory of a process. */
function memoryCount(pid: number, text: string, encoding: 'utf8' | 'utf16le'): number {
  const wanted = Buffer.from(text, encoding);
  const piece = Buffer.alloc(1 << 24);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  let count = 0;
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) r/.exec(line) ?? [];
      if (from === '' || /\[v/.test(line)) continue;
      const end = BigInt(`0x${to}`);
      for (let at = BigInt(`0x${from}`); at < end;) {
        const left = end - at;
        const length = left < piece.byteLength ? Number(left) : piece.byteLength;
        let got = 0;
        try {
          got = readSync(memory, piece, 0, length, at);
        } catch {
          // A page that is not there.
        }
        if (got === 0) break;
        for (let found = -1; (found = piece.subarray(0, got).indexOf(wanted, found + 1)) >= 0;) count++;
        at += BigInt(got);
      }
    }
  } finally {
    closeSync(memory);
  }
  return count;
}

describe('a password given away over CredSSP', await tier('freerdp'), () => {
  let client: FreeRdp;
  let folder: ScratchFolder;
  before(async () => {
    client = await startFreeRdp();
    folder = await scratchFolder('credssp-heap');
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  it('G04: is in no string of the heap, while its context stands and afterwards, nor printed', async () => {
    const password = `P${randomBytes(12).toString('hex')}`;
    const NT_HASH = Buffer.from(ntowfv1(password)).toString('hex');
    await using server = await startProcess(process.execPath, programWords(script), { env: { NT_HASH } });
    const [, port = ''] = await server.waitForLine(/^port (\d+)$/);
    const signedIn = client.signIn({ port: Number(port), user: 'alice', domain: 'LAB', password });
    await server.waitForLine(new RegExp(`^signed in with a password of ${password.length} bytes`));

    const heapOf = async (name: string): Promise<string> => {
      const path = folder.file(name);
      server.write(`snapshot ${path}\n`);
      await server.waitForLine(new RegExp(`^written .*${name}$`), 60_000);
      return await readFile(path, 'latin1');
    };
    // A snapshot takes seconds; while the context stands only its bytes can be there in addition.
    if (full()) assert.equal(memoryCount(server.pid, password, 'utf8'), 1, 'the bytes that were asked for');
    const standing = full() ? await heapOf('standing.heapsnapshot') : undefined;
    server.write('release\n');
    await server.waitForLine(/^released$/);
    await signedIn;
    if (full()) {
      for (const text of ['utf8', 'utf16le'] as const) assert.equal(memoryCount(server.pid, password, text), 0, text);
    }
    const afterwards = await heapOf('afterwards.heapsnapshot');

    const spellings = [
      password,
      Buffer.from(password).toString('hex'),
      Buffer.from(password, 'utf16le').toString('hex'),
      Buffer.from(password).toString('base64').replace(/=+$/, ''),
      Buffer.from(password, 'utf16le').toString('base64').replace(/=+$/, ''),
      Array.from(password).join('\\u0000'),
    ];
    for (const [name, heap] of Object.entries({ standing, afterwards })) {
      if (heap === undefined) continue;
      // A heap without the name of the account would be the wrong one.
      assert.ok(heap.includes('"alice"'), name);
      for (const spelling of spellings) assert.ok(!heap.includes(spelling), name);
    }
    const printed = server.output.stdout + server.output.stderr;
    assert.match(printed, /userName: 'alice'/);
    for (const spelling of spellings) assert.ok(!printed.includes(spelling));
    assert.doesNotMatch(printed, /<Buffer|Uint8Array/);
  });
});
