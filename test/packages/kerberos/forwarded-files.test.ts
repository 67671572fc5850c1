/** Whose folder of forwarded tickets is whose: by process number, start of the process, boot and namespace. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { forwardedFiles } from '../../../src/packages/kerberos/forwarded-files.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';

const onLinux = { skip: process.platform === 'linux' ? false : 'the marks are of Linux' };
const prefix = 'sspi-auth-forwarded-';

describe('the folders of forwarded tickets', onLinux, () => {
  let parent: ScratchFolder;
  let whatWas: string | undefined;
  beforeEach(async () => {
    whatWas = process.env['TMPDIR'];
    parent = await scratchFolder('forwarded');
    process.env['TMPDIR'] = parent.path;
  });
  afterEach(async () => {
    if (whatWas === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
    else process.env['TMPDIR'] = whatWas;
    await parent.remove();
  });

  /** The mark of this process: its number, the tick of its start, the boot, the namespace. */
  function ownMark(): string[] {
    const file = forwardedFiles().newFile();
    const name = basename(dirname(file.path));
    file.remove();
    assert.ok(name.startsWith(prefix), name);
    return name
      .slice(prefix.length)
      .replace(/-[^-]*$/, '')
      .split('.');
  }

  /** Whether a folder of this name is still there after the next process has looked. */
  async function stays(name: string): Promise<boolean> {
    const path = parent.file(name);
    await mkdir(path, { mode: 0o700 });
    await writeFile(join(path, 'ticket'), 'a ticket');
    forwardedFiles().removeFoldersOfDeadProcesses(parent.path);
    return existsSync(path);
  }

  it('have the mark of their process', async () => {
    const [pid, start, boot, space, ...rest] = ownMark();
    assert.equal(pid, String(process.pid));
    // proc_pid_stat(5): field 22, counted behind the name of the program.
    const stat = await readFile('/proc/self/stat', 'utf8');
    assert.equal(start, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3]);
    assert.match(boot ?? '', /^[0-9a-f]{8}$/);
    assert.match(space ?? '', /^\d+$/);
    assert.deepEqual(rest, []);
    assert.deepEqual(await readdir(parent.path), []);
  });

  it('of a process that runs stay, of one that has ended they go', async () => {
    const [pid = '', start = '', ...space] = ownMark();
    const here = space.join('.');
    assert.equal(await stays(`${prefix}${pid}.${start}.${here}-live`), true);
    // The number is in use again, by a process that started later.
    assert.equal(await stays(`${prefix}${pid}.${Number(start) - 1}.${here}-again`), false);
    // No process has a number above the greatest that Linux gives.
    assert.equal(await stays(`${prefix}4194305.${start}.${here}-gone`), false);
  });

  it('of another boot or container stay: nothing is known of their processes', async () => {
    const [, start = '', boot = '', space = ''] = ownMark();
    assert.equal(await stays(`${prefix}4194305.${start}.00000000.${space}-boot`), true);
    assert.equal(await stays(`${prefix}4194305.${start}.${boot}.${Number(space) + 1}-container`), true);
    assert.equal(await stays(`${prefix}4194305.${start}.${boot}-short`), true);
    assert.equal(await stays(`${prefix}4194305.${start}.${boot}.${space}.1-long`), true);
  });

  it('of a process without a mark, or with a name that none would have, stay where marks are known', async () => {
    for (const name of ['4194305-x', '-x', '', 'x', '0-x', '4194305..-x', '4194305.x.y.z-x']) {
      assert.equal(await stays(`${prefix}${name}`), true, name);
    }
  });

  it('are never reached through a link, nor by a name of somebody else', async () => {
    const [, start = '', ...space] = ownMark();
    const dead = `4194305.${start}.${space.join('.')}`;
    const target = parent.file('target');
    await mkdir(target);
    await writeFile(join(target, 'file'), 'of somebody');
    await symlink(target, parent.file(`${prefix}${dead}-link`));
    await writeFile(parent.file(`${prefix}${dead}-file`), 'no folder');
    assert.equal(await stays(`another-${dead}-x`), true);
    assert.deepEqual(await readdir(target), ['file']);
    assert.ok(existsSync(parent.file(`${prefix}${dead}-file`)));
  });
});
