/** Units of systemd that the documents show: systemd's own check, and the program with what the unit gives it. */
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import { replaced } from '../../lab/configured.ts';
import { blocksOf } from '../../lab/document-blocks.ts';
import { startKdc } from '../../lab/kdc.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { useRealm } from '../kerberos/acceptor.ts';

const ready = await tier('documents');

describe('units of systemd', ready, () => {
  /** What systemd says of a unit; nothing where it is right. */
  async function complaints(code: string): Promise<string> {
    await using folder = await scratchFolder('unit');
    const unit = folder.file('intranet.service');
    await writeFile(unit, replaced(code, { '/usr/bin/node': process.execPath }));
    const { code: exitCode, stderr } = await runProcess('systemd-analyze', ['verify', '--man=no', unit]);
    const own = stderr.split('\n').filter((line) => line.includes(unit));
    return exitCode === 0 ? own.join('\n') : stderr;
  }

  it('are what systemd takes', async () => {
    const blocks = blocksOf('systemd');
    assert.ok(blocks.length > 0);
    for (const { code, place } of blocks) assert.equal(await complaints(code), '', place);
  });

  it('would be found with a line that systemd does not know', async () => {
    const [{ code } = { code: '' }] = blocksOf('systemd');
    assert.match(await complaints(code.replace('StateDirectory', 'StateFolder')), /Unknown key .*'StateFolder'/);
  });

  it('give the server its keytab and its replay cache by their variables', async () => {
    await using folder = await scratchFolder('unit');
    await using kdc = await startKdc();
    useRealm(kdc);
    const [{ code } = { code: '' }] = blocksOf('systemd');
    await mkdir(folder.file('intranet'));
    const variables = [...code.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(
      ([, name = '', value = '']) =>
        [name, value.replace('%d/http.keytab', kdc.keytab).replace('%S', folder.path)] as const,
    );
    assert.deepEqual(
      variables.map(([name]) => name),
      ['KRB5_KTNAME', 'KRB5RCACHENAME'],
    );
    const before = { ...process.env };
    try {
      Object.assign(process.env, Object.fromEntries(variables));
      sspiAuth({ packages: ['Kerberos'] }).close();
      assert.deepEqual(await readdir(folder.file('intranet')), ['replay']);
    } finally {
      process.env = before;
    }
  });
});
