/** smbpasswdFile over files that Samba's own tools wrote. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { describe, it } from 'node:test';
import { smbpasswdFile } from '../../../src/accounts/smbpasswd-file.ts';
import type { AccountSource } from '../../../src/accounts/account-source.ts';
import { logon } from '../../accounts/ntlm-logon.ts';
import { runProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('smbpasswd');

/** Names of the machine's own users: Samba takes accounts for those only. */
const users = readFileSync('/etc/passwd', 'utf8')
  .split('\n')
  .map((line) => line.split(':')[0] ?? '')
  .filter((name) => /^[a-z]+$/u.test(name))
  .slice(0, 4);

/** A Samba configuration of its own whose accounts lie in an smbpasswd file. */
class Samba {
  readonly path: string;
  readonly #configuration: string;

  constructor(folder: ScratchFolder) {
    this.path = folder.file('smbpasswd');
    this.#configuration = folder.file('smb.conf');
    for (const name of ['private', 'state', 'cache', 'lock', 'pid']) mkdirSync(folder.file(name));
    const settings = [
      '[global]',
      'workgroup = FILES',
      'netbios name = FILESERVER',
      `passdb backend = smbpasswd:${this.path}`,
      `private dir = ${folder.file('private')}`,
      `state directory = ${folder.file('state')}`,
      `cache directory = ${folder.file('cache')}`,
      `lock directory = ${folder.file('lock')}`,
      `pid directory = ${folder.file('pid')}`,
      `log file = ${folder.file('log')}`,
    ];
    writeFileSync(this.#configuration, settings.join('\n'));
    writeFileSync(this.path, '');
  }

  async run(tool: 'smbpasswd' | 'pdbedit', args: readonly string[], input = ''): Promise<void> {
    const configuration = tool === 'smbpasswd' ? ['-c', this.#configuration] : ['-s', this.#configuration];
    const { code, stderr, stdout } = await runProcess(tool, [...configuration, ...args], { input });
    assert.equal(code, 0, `${tool} ${args.join(' ')}: ${stderr}${stdout}`);
  }

  async add(tool: 'smbpasswd' | 'pdbedit', user: string, password: string): Promise<void> {
    const args = tool === 'smbpasswd' ? ['-L', '-s', '-a', user] : ['-t', '-a', '-u', user];
    await this.run(tool, args, `${password}\n${password}\n`);
  }
}

function result(source: AccountSource, userName: string, password: string): string {
  const verified = source.verifyNtlm!(logon({ userName, domain: 'FILES', password }));
  assert.ok(!(verified instanceof Promise));
  return verified.result;
}

describe('smbpasswd files of Samba', ready, () => {
  it(`there are users to add (this is ${userInfo().username})`, () => {
    assert.equal(users.length, 4);
  });

  for (const tool of ['smbpasswd', 'pdbedit'] as const) {
    it(`written by ${tool}`, async () => {
      await using folder = await scratchFolder('samba');
      const samba = new Samba(folder);
      const [alice, bob] = users as [string, string];
      await samba.add(tool, alice, 'Sésame, öffne dich');
      await samba.add(tool, bob, 'p2');
      const warnings: string[] = [];
      const source = smbpasswdFile(samba.path, { onWarning: (message) => warnings.push(message) });
      assert.match(source.description, /2 accounts/);
      assert.equal(result(source, alice.toUpperCase(), 'Sésame, öffne dich'), 'accepted');
      assert.equal(result(source, bob, 'p2'), 'accepted');
      assert.equal(result(source, alice, 'p2'), 'refused');
      assert.deepEqual(warnings, []);
    });
  }

  it('changes that Samba makes to a file in use', async () => {
    await using folder = await scratchFolder('samba');
    const samba = new Samba(folder);
    const [alice, bob, carol] = users as [string, string, string];
    for (const user of [alice, bob, carol]) await samba.add('smbpasswd', user, 'first');
    const warnings: string[] = [];
    const source = smbpasswdFile(samba.path, { onWarning: (message) => warnings.push(message) });
    for (const user of [alice, bob, carol]) assert.equal(result(source, user, 'first'), 'accepted');
    await samba.run('smbpasswd', ['-L', '-d', alice]);
    await samba.run('smbpasswd', ['-L', '-n', bob]);
    await samba.run('smbpasswd', ['-L', '-s', carol], 'second\nsecond\n');
    assert.equal(result(source, alice, 'first'), 'refused', 'disabled');
    assert.equal(result(source, bob, 'first'), 'refused', 'no password');
    assert.equal(result(source, bob, ''), 'refused', 'no password');
    assert.equal(result(source, carol, 'first'), 'refused', 'changed');
    assert.equal(result(source, carol, 'second'), 'accepted');
    await samba.run('smbpasswd', ['-L', '-e', alice]);
    assert.equal(result(source, alice, 'first'), 'accepted', 'enabled');
    await samba.run('smbpasswd', ['-L', '-x', carol]);
    assert.equal(result(source, carol, 'second'), 'refused', 'removed');
    assert.deepEqual(warnings, []);
  });
});
