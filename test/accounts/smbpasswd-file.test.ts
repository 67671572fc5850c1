import assert from 'node:assert/strict';
import fs, { chmodSync, mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import { smbpasswdFile } from '../../src/accounts/smbpasswd-file.ts';
import { OptionError, SspiAuthError } from '../../src/foundation/errors.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { line, result, writeAccounts } from './smbpasswd-lines.ts';

/** There files have other rights than mode bits. */
const isWindows = process.platform === 'win32';

describe('smbpasswdFile', () => {
  it('accepts who is in the file, by any case of the name, and nobody else', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `# comment\n\n${line('alice', 'secret')}\r\n${line('bob', 'other')}\n`);
    const warnings: string[] = [];
    const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
    assert.match(source.description, /2 accounts/);
    assert.ok(!('verifyDigest' in source));
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    assert.equal(result(source, 'ALICE', 'secret', 'ANY'), 'accepted');
    assert.equal(result(source, 'alice', 'other'), 'refused');
    assert.equal(result(source, 'mallory', 'secret'), 'refused');
    assert.deepEqual(warnings, []);
  });

  for (const [what, content, why] of [
    ['an empty one', '', /`pdbedit -e smbpasswd:.*\.smbpasswd`, .* has no accounts$/],
    [
      'of htpasswd',
      'alice:$apr1$x$y\n',
      /^sspi-auth: smbpasswdFile: export .*has no account: line 1: the uid is not a number$/,
    ],
    [
      'a shadow file',
      'root:*:19000:0:99999:7:::\nalice:$6$x$y:19000:0:99999:7:::\n',
      /line 1: the uid is not a number/,
    ],
    ['a database of Samba', 'TDB file\n\u0000\u0001\u0002', /is a database of Samba \(TDB\)/],
    [
      'of disabled accounts',
      `${line('alice', 'p', '[UD         ]')}\n`,
      /no account that can sign in: each is disabled/,
    ],
    ['of one name twice', `${line('alice', 'p')}\n${line('alice', 'q')}\n`, /no account that can sign in/],
    [
      'of one name twice, in another case',
      `${line('alice', 'p')}\n${line('Alice', 'q')}\n`,
      /no account that can sign in: line 2: the name occurs twice/,
    ],
    [
      'of an account that is disabled and a line that is none',
      `${line('alice', 'p', '[UD         ]')}\nbob:x:y\n`,
      /no account that can sign in: line 2: the uid is not a number/,
    ],
  ] as const) {
    it(`a file nobody can sign in by is refused at start: ${what}`, async () => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, content);
      assert.throws(
        () => smbpasswdFile(path, { onWarning: () => assert.fail('the error says it') }),
        (error: unknown) => {
          assert.ok(error instanceof SspiAuthError);
          assert.equal(error.code, 'ERR_SSPI_AUTH_ACCOUNT_FILE');
          assert.match(error.message, why);
          return true;
        },
      );
    });
  }

  it('warns once of a file that others may read or change, with the command', { skip: isWindows }, async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    chmodSync(path, 0o644);
    const warnings: string[] = [];
    const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
    const said = `sspi-auth: ${path} holds hashes that are as good as passwords, and can be read by every user of this machine: chmod 600 ${path}`;
    for (let i = 0; i < 3; i++) assert.equal(result(source, 'alice', 'secret'), 'accepted');
    assert.deepEqual(warnings, [said]);
    chmodSync(path, 0o600);
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    chmodSync(path, 0o646);
    for (let i = 0; i < 3; i++) assert.equal(result(source, 'alice', 'secret'), 'accepted');
    assert.deepEqual(
      warnings,
      [said, said.replace('read by', 'read and changed by')],
      'again where it was closed before',
    );
  });

  it('takes a byte order mark for what it is, and a name that is not UTF-8 for none', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    const warnings: string[] = [];
    const latin1 = ['müller', 'möller'].map((user) => Buffer.from(`${line(user, 'p')}\n`, 'latin1'));
    writeAccounts(path, Buffer.concat([Buffer.from(`\ufeff${line('alice', 'secret')}\n`), ...latin1]));
    const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    assert.deepEqual(
      warnings.map((message) => /line \d+: .*/.exec(message)?.[0]),
      ['line 2: the name is not UTF-8', 'line 3: the name is not UTF-8'],
    );
  });

  it('a file from the future is read again when it has changed', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    const future = new Date(2100, 0, 1);
    let elapsed = 0;
    const write = (password: string): void => {
      writeAccounts(path, `${line('alice', password)}\n`);
      utimesSync(path, future, future);
    };
    write('secret');
    // Of the two time stamps that count only one can be set: for this clock the other is in the future as well.
    const clock = { now: () => 0, elapsed: () => elapsed };
    const source = smbpasswdFile(path, { clock });
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    write('second');
    assert.equal(result(source, 'alice', 'second'), 'accepted', 'another ctime is another file');
    elapsed = 5000;
    assert.equal(result(source, 'alice', 'second'), 'accepted');
  });

  it('a file from the future is not read for every logon', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    let elapsed = 0;
    const original = fs.readFileSync;
    let reads = 0;
    fs.readFileSync = ((...parameters: Parameters<typeof original>) => {
      reads++;
      return original(...parameters);
    }) as typeof original;
    syncBuiltinESMExports();
    try {
      const source = smbpasswdFile(path, { clock: { now: () => 0, elapsed: () => elapsed } });
      for (let i = 0; i < 10; i++) assert.equal(result(source, 'alice', 'secret'), 'accepted');
      assert.equal(reads, 1);
      elapsed = 5000;
      for (let i = 0; i < 10; i++) assert.equal(result(source, 'alice', 'secret'), 'accepted');
      assert.equal(reads, 2);
    } finally {
      fs.readFileSync = original;
      syncBuiltinESMExports();
    }
  });

  it('a file that is young is read again though its time stamps are the same (FAT has them in two seconds)', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'first')}\n`);
    const original = fs.statSync;
    const { ino, size } = original(path);
    Object.assign(fs, { statSync: () => ({ ino, size, mtimeMs: 1000, ctimeMs: 1000 }) });
    syncBuiltinESMExports();
    try {
      let now = 1000;
      const source = smbpasswdFile(path, { clock: { now: () => now, elapsed: () => 0 } });
      assert.equal(result(source, 'alice', 'first'), 'accepted');
      for (const [at, password] of [
        [1000, 'again'],
        [3000, 'third'],
      ] as const) {
        writeAccounts(path, `${line('alice', password)}\n`);
        now = at;
        assert.equal(result(source, 'alice', password), 'accepted', `${at - 1000} ms after`);
        assert.equal(result(source, 'alice', 'first'), 'refused');
      }
      now = 3001;
      assert.equal(result(source, 'alice', 'third'), 'accepted');
      // Old enough to have new time stamps when it changes: it is not read for nothing.
      writeAccounts(path, `${line('alice', 'unseen')}\n`);
      assert.equal(result(source, 'alice', 'third'), 'accepted');
    } finally {
      Object.assign(fs, { statSync: original });
      syncBuiltinESMExports();
    }
  });

  it('a file from the future that cannot be read lets nobody in by what was there before', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    const source = smbpasswdFile(path, { onWarning: () => undefined, clock: { now: () => 0, elapsed: () => 0 } });
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    // It has time stamps, but no content: as a file whose rights were taken away.
    rmSync(path);
    mkdirSync(path);
    for (let i = 0; i < 3; i++) assert.equal(result(source, 'alice', 'secret'), 'unavailable');
  });

  for (const [option, options] of [
    ['onWarning', { onWarning: 'x' }],
    ['clock', { clock: 5 }],
    ['clock', { clock: { now: () => 0 } }],
    ['clock', { clock: { elapsed: () => 0 } }],
    ['clock', { clock: null }],
    ['domain', { domain: 'a\\b' }],
    ['domain', { domain: 7 }],
    ['domain', { domain: '.' }],
    ['domain', { domain: 'a\u0000' }],
    ['domain', { domain: 'a\n' }],
    ['domain', { domain: 'a\u001f' }],
    ['domain', { domain: 'a\u007f' }],
    ['domain', { domain: 'a\u009f' }],
    ['Domain', { Domain: 'CORP' }],
    ['options', null],
    ['options', []],
    ['options', 'CORP'],
  ] as const) {
    it(`names an option that cannot be used: ${option}`, () => {
      assert.throws(
        () => smbpasswdFile('/dev/null', options as never),
        (error: unknown) => error instanceof OptionError && error.option === option,
      );
    });
  }

  it('reads the file again when it changes: new passwords, accounts taken out', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'first')}\n`);
    const source = smbpasswdFile(path);
    assert.equal(result(source, 'alice', 'first'), 'accepted');
    // The same size, in place and at once, as smbpasswd does it.
    writeAccounts(path, `${line('alice', 'again')}\n`);
    assert.equal(result(source, 'alice', 'first'), 'refused');
    assert.equal(result(source, 'alice', 'again'), 'accepted');
    writeAccounts(folder.file('new'), `${line('bob', 'other')}\n`);
    renameSync(folder.file('new'), path);
    assert.equal(result(source, 'alice', 'again'), 'refused');
    assert.equal(result(source, 'bob', 'other'), 'accepted');
  });

  it('does not read a file again that has long been the same', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'first')}\nbroken\n`);
    utimesSync(path, 1, 1);
    const warnings: string[] = [];
    const hour = 3_600_000;
    const clock = { now: () => Date.now() + hour, elapsed: () => 0 };
    const source = smbpasswdFile(path, { clock, onWarning: (message) => warnings.push(message) });
    for (let i = 0; i < 5; i++) assert.equal(result(source, 'alice', 'first'), 'accepted');
    assert.equal(warnings.length, 1);
  });

  it('is unavailable while the file cannot be read, and back when it can', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    const warnings: string[] = [];
    const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
    rmSync(path);
    assert.equal(result(source, 'alice', 'secret'), 'unavailable');
    assert.equal(result(source, 'alice', 'secret'), 'unavailable');
    assert.equal(warnings.length, 1, 'said once');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    assert.equal(result(source, 'alice', 'secret'), 'accepted');
    rmSync(path);
    assert.equal(result(source, 'alice', 'secret'), 'unavailable');
    assert.equal(warnings.length, 2, 'said again of another time');
  });

  for (const [what, content, told] of [
    ['an empty one', '', ['has no accounts']],
    [
      'one of something else',
      'alice:$apr1$x$y\n',
      ['line 1: the uid is not a number', 'has no account: line 1: the uid is not a number'],
    ],
  ] as const) {
    it(`says that nobody can sign in any more when the file becomes ${what}`, async () => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `${line('alice', 'secret')}\n`);
      const warnings: string[] = [];
      const source = smbpasswdFile(path, { onWarning: (message) => warnings.push(message) });
      writeAccounts(path, content);
      for (let i = 0; i < 3; i++) assert.equal(result(source, 'alice', 'secret'), 'refused');
      assert.deepEqual(
        warnings,
        told.map((text) => `sspi-auth: ${path} ${text}`),
      );
      writeAccounts(path, `${line('alice', 'secret')}\n`);
      assert.equal(result(source, 'alice', 'secret'), 'accepted');
    });
  }

  it('gives its accounts the domain of its options', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\n`);
    const source = smbpasswdFile(path, { domain: 'FILES' });
    assert.equal(result(source, 'alice', 'secret', 'files'), 'accepted');
    assert.equal(result(source, 'alice', 'secret', 'ELSEWHERE'), 'refused');
  });

  it('a folder is no file, and the message says what would be', async () => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('folder');
    mkdirSync(path);
    assert.throws(() => smbpasswdFile(path), /give the path of a file, not of a folder: .* cannot be read \(EISDIR\)/);
    assert.throws(() => smbpasswdFile(folder.file('missing')), /`pdbedit -e smbpasswd:[^`]*missing`, .*\(ENOENT\)/);
  });

  it('cannot start without its file', () => {
    assert.throws(
      () => smbpasswdFile('/nonexistent/smbpasswd'),
      (error) => error instanceof SspiAuthError && error.code === 'ERR_SSPI_AUTH_ACCOUNT_FILE',
    );
    for (const path of ['', 5, undefined]) assert.throws(() => smbpasswdFile(path as string), OptionError);
    assert.throws(() => smbpasswdFile('x', { domain: '' }), OptionError);
  });
});
