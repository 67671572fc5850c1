/** Lines of an smbpasswd file: who is refused by one, and that a broken one lets nobody in. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { smbpasswdFile } from '../../src/accounts/smbpasswd-file.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { hashOf, line, NO_LM, result, writeAccounts } from './smbpasswd-lines.ts';

describe('lines of smbpasswdFile', () => {
  const refusedFlags = [
    '[UD         ]',
    '[UN         ]',
    '[NU         ]',
    '[W          ]',
    '[S          ]',
    '[I          ]',
    '[UW         ]',
    '[US         ]',
    '[UI         ]',
    '[UL         ]',
    '[           ]',
  ];
  for (const flags of refusedFlags) {
    it(`refuses an account with the flags ${flags}`, async () => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `${line('alice', 'secret', flags)}\n${line('bob', 'other')}\n`);
      const source = smbpasswdFile(path, { onWarning: (message) => assert.fail(message) });
      assert.equal(result(source, 'alice', 'secret'), 'refused');
      assert.equal(result(source, 'alice', ''), 'refused');
      assert.equal(result(source, 'bob', 'other'), 'accepted');
    });
  }

  for (const hash of ['X'.repeat(32), `NO PASSWORD${'X'.repeat(21)}`, '*'.repeat(32)]) {
    it(`C23: refuses an account with the hash ${hash}`, async () => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `alice:1000:${NO_LM}:${hash}:[U          ]:LCT-00000000:\n${line('bob', 'other')}\n`);
      const source = smbpasswdFile(path, { onWarning: (message) => assert.fail(message) });
      assert.equal(result(source, 'alice', ''), 'refused');
      assert.equal(result(source, 'alice', hash), 'refused');
    });
  }

  it('takes lines that end with their flags, with a carriage return and without; and a BOM for one at its start only', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    const until = (user: string): string => line(user, 'p').replace(/:LCT.*/u, '');
    writeAccounts(path, `${until('alice')}\r\n${until('bob')}\n${until('car\ufeffol')}`);
    const source = smbpasswdFile(path, { onWarning: (message) => assert.fail(message) });
    for (const userName of ['alice', 'bob', 'car\ufeffol']) assert.equal(result(source, userName, 'p'), 'accepted');
    assert.equal(result(source, 'carol', 'p'), 'refused');
  });

  const broken: readonly string[] = [
    'no colons at all',
    `:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:x:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('p')}`,
    `alice:1000:${NO_LM}:${hashOf('p')}:U:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('p').slice(1)}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:xx${hashOf('p')}:[U          ]:LCT-0:`,
    `DOMAIN\\alice:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${'G'.repeat(32)}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('')}:[U          ]:LCT-0:`,
    `ali\u007fce:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `ali\u009fce:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `${'x'.repeat(257)}:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('p')}0:[U          ]:LCT-0:`,
    `alice:x1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:1000x:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('p')}:x[U          ]:LCT-0:`,
    `alice:1000:${NO_LM}:${hashOf('p')}:[U          ]x:LCT-0:`,
    `ali\tce:1000:${NO_LM}:${hashOf('p')}:[U          ]:LCT-0:`,
  ];
  for (const text of broken) {
    it(`names the line of ${JSON.stringify(text.slice(0, 24))} and lets nobody in by it`, async () => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `${line('bob', 'other')}\n\n${text}\n${line('carol', 'third')}\n`);
      const warnings: string[] = [];
      const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /line 3/);
      assert.ok(!warnings[0]!.includes(hashOf('p')));
      for (const password of ['p', '']) assert.equal(result(source, 'alice', password), 'refused');
      assert.equal(result(source, 'bob', 'other'), 'accepted');
      assert.equal(result(source, 'carol', 'third'), 'accepted');
    });
  }

  it('tells of a broken line by a process warning where nobody else is to be told', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\nbroken\n`);
    const told = once(process, 'warning') as Promise<[Error]>;
    smbpasswdFile(path);
    const [{ name, message }] = await told;
    assert.deepEqual([name, message], ['SspiAuthWarning', `sspi-auth: ${path} line 2: the uid is not a number`]);
  });

  it('refuses a name that is there twice, by either password', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(
      path,
      `${line('alice', 'one')}\n${line('Alice', 'two')}\n${line('ALICE', 'three')}\n${line('bob', 'p')}\n`,
    );
    const warnings: string[] = [];
    const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
    assert.equal(warnings.length, 2);
    for (const password of ['one', 'two', 'three']) assert.equal(result(source, 'alice', password), 'refused');
  });
});
