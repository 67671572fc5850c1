/** Every printed command that can be run here, run as it is printed, on copies: it does what it says and harms nothing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { smbpasswdFile } from '../../../src/accounts/smbpasswd-file.ts';
import { commandsOf, rows } from '../../lab/reason-documentation.ts';
import { startKdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** The printed commands of a program, with the words of a test in them. */
function printed(program: string, words: Readonly<Record<string, string>>): readonly string[] {
  const commands = rows.flatMap(([, row]) => commandsOf(row, words)).filter(({ runs }) => runs === 'here');
  return [...new Set(commands.map(({ command }) => command).filter((command) => command.startsWith(`${program} `)))];
}

const digestOf = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

describe('printed commands of Kerberos', await tier('kdc'), () => {
  it('export a key without changing it, list it, say its version, and drop a ticket', async () => {
    await using kdc = await startKdc();
    const keytab = kdc.file('exported.keytab');
    const words = { keytab, spn: 'HTTP/localhost', path: keytab };
    const env = await kdc.signIn('alice');
    const version = async (): Promise<string> => /kvno = \d+/.exec(await shell(`kvno HTTP/localhost`))?.[0] ?? '';
    const shell = (command: string): Promise<string> => runChecked('sh', ['-c', command], { env });
    const before = await version();

    const [exporting = '', ...others] = printed('kadmin.local', words);
    assert.deepEqual(others, []);
    // The realm of the test is not the default one of this machine; an administrator has it in the configuration.
    await shell(exporting);
    assert.equal(await version(), before);
    const [listing = ''] = printed('klist', words);
    assert.match(await shell(listing), /2 HTTP\/localhost@TEST\.LOCAL \(aes256-cts-hmac-sha1-96\)/);
    const [issued = ''] = printed('kvno', words);
    assert.match(await shell(issued), /^HTTP\/localhost@TEST\.LOCAL: kvno = 2$/m);
    // The key is that of the KDC: a ticket opens with it.
    assert.match(await shell(`kvno -k ${keytab} HTTP/localhost`), /keytab entry valid/);
    const [clock = ''] = rows
      .flatMap(([, row]) => commandsOf(row))
      .flatMap(({ command }) => (command === 'date -u' ? [command] : []));
    assert.match(await shell(clock), /UTC/);
    await shell('kdestroy');
    assert.equal(existsSync((env['KRB5CCNAME'] ?? '').replace('FILE:', '')), false);
  });
});

describe('printed commands of account files', await tier('smbpasswd'), () => {
  it("leave Samba's database as it is, and write a file that signs its accounts in", async () => {
    await using folder = await scratchFolder('passdb');
    const database = folder.file('passdb.tdb');
    const config = folder.file('smb.conf');
    const folders = ['private dir', 'state directory', 'lock directory', 'cache directory'];
    const settings = folders.map((name) => `${name} = ${folder.path}\n`).join('');
    await writeFile(config, `[global]\npassdb backend = tdbsam:${database}\n${settings}`);
    // As printed: pdbedit finds the configuration of the test where that of the machine would be.
    await mkdir(folder.file('bin'));
    await writeFile(folder.file('bin/pdbedit'), `#!/bin/sh\nPATH='${path}' exec pdbedit -s '${config}' "$@"\n`);
    await chmod(folder.file('bin/pdbedit'), 0o755);
    const env = { PATH: `${folder.file('bin')}:${path}` };
    await runChecked('pdbedit', ['-a', '-u', 'nobody', '-t'], { env, input: 'secret\nsecret\n' });
    const before = await digestOf(database);

    for (const [given, problem] of [
      [database, /is a database of Samba \(TDB\), not a file of smbpasswd$/],
      [folder.file('smb.conf'), /has no account: line 1/],
      [folder.file('missing'), /cannot be read \(ENOENT\)$/],
    ] as const) {
      const content = existsSync(given) ? await digestOf(given) : undefined;
      const message = messageOf(() => smbpasswdFile(given));
      assert.match(message, problem);
      const [, command = '', file = ''] = /`([^`]+)`, and give ([^:]+): /.exec(message) ?? [];
      assert.equal(existsSync(file), false, 'nothing is written over');
      await runChecked('sh', ['-c', command], { env });
      assert.equal(await digestOf(database), before);
      if (content !== undefined) assert.equal(await digestOf(given), content);
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      assert.match(smbpasswdFile(file).description ?? '', /\(1 account\)$/);
    }
  });

  it('give a file to the user of the process', async () => {
    await using folder = await scratchFolder('accounts');
    const file = folder.file("it's accounts");
    await writeFile(file, '');
    const [command = ''] = printed('chown', { user: '65534', path: `'${file.replaceAll("'", `'\\''`)}'` });
    await runChecked('sh', ['-c', command]);
    assert.equal((await stat(file)).uid, 65534);
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return assert.fail('nothing was thrown');
}
