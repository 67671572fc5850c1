import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileExposure, processReader } from '../../src/foundation/file-exposure.ts';
import { scratchFolder } from '../lab/scratch.ts';

const skip = process.platform === 'win32';

describe('files of secrets', () => {
  const owner = { user: 1000, groups: [1000] };
  for (const [mode, reader, file, exposure] of [
    [0o600, owner, {}, undefined],
    [0o400, owner, {}, undefined],
    [0o640, owner, {}, undefined],
    [0o711, owner, {}, undefined],
    [0o644, owner, {}, 'can be read by every user of this machine: chmod 600 /f'],
    [0o604, owner, {}, 'can be read by every user of this machine: chmod 600 /f'],
    [0o602, owner, {}, 'can be changed by every user of this machine: chmod 600 /f'],
    [0o666, owner, {}, 'can be read and changed by every user of this machine: chmod 600 /f'],
    [0o660, owner, {}, 'can be changed by its group: chmod 600 /f'],
    [0o664, owner, {}, 'can be read and changed by every user of this machine: chmod 600 /f'],
    [0o644, { user: 0, groups: [0] }, {}, 'can be read by every user of this machine: chmod 600 /f'],
    // A file of root that this process may read by its group, or as anybody may.
    [0o640, owner, { uid: 0, gid: 1000 }, undefined],
    [0o644, owner, { uid: 0, gid: 1000 }, 'can be read by every user of this machine: chmod 640 /f'],
    [0o660, owner, { uid: 0, gid: 1000 }, 'can be changed by its group: chmod 640 /f'],
    [0o644, owner, { uid: 0, gid: 0 }, 'can be read by every user of this machine: chown 1000 /f && chmod 600 /f'],
    [0o604, owner, { uid: 0, gid: 1000 }, 'can be read by every user of this machine: chown 1000 /f && chmod 600 /f'],
  ] as const) {
    const of = { uid: 1000, gid: 1000, ...file };
    it(`mode ${mode.toString(8)} of ${of.uid}:${of.gid} for user ${reader.user}: ${exposure ?? 'well kept'}`, () => {
      assert.equal(fileExposure('/f', { mode: 0o100000 | mode, ...of }, reader), exposure);
    });
  }

  it('the command does what it says, whatever the path, and its reader can still read', { skip }, async () => {
    await using folder = await scratchFolder('exposure');
    const reader = processReader()!;
    for (const name of ['plain', 'with space', "it's", '$(touch pwned)', '-rf', 'a;b']) {
      for (const mode of [0o644, 0o602, 0o660, 0o666]) {
        // From inside the folder, so that a path may begin with a dash.
        writeFileSync(folder.file(name), 'secret');
        chmodSync(folder.file(name), mode);
        const exposure = fileExposure(name, statSync(folder.file(name)), reader)!;
        execFileSync('sh', ['-c', exposure.slice(exposure.indexOf(': ') + 2)], { cwd: folder.path });
        assert.equal(fileExposure(name, statSync(folder.file(name)), reader), undefined, exposure);
        assert.equal(readFileSync(folder.file(name), 'utf8'), 'secret');
      }
    }
  });

  it('so does the one for a file of somebody else', { skip: skip || process.geteuid?.() !== 0 }, async () => {
    await using folder = await scratchFolder('exposure');
    const path = folder.file('of root');
    for (const [mode, groups] of [
      [0o644, []],
      [0o664, [statSync(folder.path).gid]],
    ] as const) {
      writeFileSync(path, 'secret');
      chmodSync(path, mode);
      const service = { user: 65_534, groups };
      const exposure = fileExposure(path, statSync(path), service)!;
      execFileSync('sh', ['-c', exposure.slice(exposure.indexOf(': ') + 2)]);
      const after = statSync(path);
      assert.equal(fileExposure(path, after, service), undefined, exposure);
      assert.ok(after.uid === service.user || (after.mode & 0o040) !== 0, 'it can still be read');
      execFileSync('chown', ['0', path]);
    }
  });
});
