import assert from 'node:assert/strict';
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import type { KeytabCreateOptions } from '../../src/cli/keytab-arguments.ts';
import { createKeytab } from '../../src/cli/keytab-create.ts';
import { listKeytab } from '../../src/cli/keytab-list.ts';
import { readPassword } from '../../src/cli/password-input.ts';
import type { PasswordInput } from '../../src/cli/password-input.ts';
import { CommandError, UsageError } from '../../src/cli/usage-error.ts';
import { stringToKey } from '../../src/crypto/kerberos/string-to-key.ts';
import { decodeKeytabKeys } from '../../src/formats/kerberos/keytab.ts';
import { encodeKeytab } from '../../src/formats/kerberos/keytab-writer.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { SteeredClock } from '../stores/steered-clock.ts';

const words = ['--realm', 'R.TEST', '--account', 'svc-web', '--service', 'HTTP/web.r.test'];

function options(file: string, ...more: readonly string[]): KeytabCreateOptions {
  const command = parseCommandLine(['keytab', 'create', file, ...words, ...more]);
  assert.equal(command.type, 'keytab create');
  return command.options;
}

describe('the command line of keytab', () => {
  it('has what is written, and defaults', () => {
    assert.deepEqual(parseCommandLine(['keytab', 'list', 'x']), { type: 'keytab list', file: 'x' });
    const common = { file: 'x', realm: 'R.TEST', account: 'svc-web', salt: undefined, force: false };
    assert.deepEqual(options('x'), {
      ...common,
      services: ['HTTP/web.r.test'],
      keyVersion: 0,
      encryptionTypes: [18, 17],
    });
    const more = ['--service', 'HTTP/web', '--kvno', '300', '--types', 'rc4,AES256-SHA2', '--salt', 'S', '--force'];
    assert.deepEqual(options('x', ...more), {
      ...common,
      services: ['HTTP/web.r.test', 'HTTP/web'],
      keyVersion: 300,
      encryptionTypes: [23, 20],
      salt: 'S',
      force: true,
    });
  });

  const refused: [readonly string[], RegExp][] = [
    [['keytab'], /no command of keytab given; the commands are keytab list and keytab create/],
    [['keytab', 'delete', 'x'], /unknown command keytab "delete"/],
    [['keytab', 'list'], /keytab list needs the path of a keytab/],
    [['keytab', 'list', 'x', 'y'], /keytab list takes no argument "y"/],
    [['keytab', 'list', 'x', '--force'], /keytab list has no option --force/],
    [['demo', '--realm', 'x'], /demo has no option --realm/],
    [['keytab', 'create', 'x', '--account', 'a', '--service', 'HTTP/w'], /--realm is missing/],
    [['keytab', 'create', 'x', '--realm', 'R', '--service', 'HTTP/w'], /--account is missing/],
    [['keytab', 'create', 'x', '--realm', 'R', '--account', 'a'], /--service is missing/],
    [['keytab', 'create', 'x', ...words, '--service', 'web'], /--service is "web"; write class\/host/],
    [['keytab', 'create', 'x', ...words, '--kvno', '0'], /--kvno is "0"/],
    [['keytab', 'create', 'x', ...words, '--kvno', '4294967296'], /--kvno is "4294967296"/],
    [['keytab', 'create', 'x', ...words, '--types', 'des'], /--types has "des"; give some of aes256-sha1/],
    [['keytab', 'create', 'x', ...words, '--salt', ''], /--salt is empty/],
    [['keytab', 'create', 'x', ...words, '--password', 'secret'], /takes no --password; it asks for it/],
    [['keytab', 'create', 'x', ...words, '--realm', 'a b'], /--realm is "a b"/],
  ];
  for (const [line, message] of refused) {
    it(`refuses ${line.join(' ')}`, () => {
      assert.throws(
        () => parseCommandLine(line),
        (error: unknown) => error instanceof UsageError && message.test(error.message),
      );
    });
  }
});

describe('keytab create', () => {
  it('writes the keys of the password for its owner alone, and says what it wrote, without keys', async () => {
    await using scratch = await scratchFolder('keytab');
    const file = scratch.file('http.keytab');
    const said = createKeytab(options(file, '--kvno', '3', '--service', 'HTTP/web'), 'pass', new SteeredClock());
    const keys = decodeKeytabKeys(await readFile(file));
    assert.deepEqual(
      keys.map(({ name, realm, keyVersion, encryptionType }) => [name, realm, keyVersion, encryptionType]),
      [
        ['HTTP/web.r.test', 'R.TEST', 3, 18],
        ['HTTP/web.r.test', 'R.TEST', 3, 17],
        ['HTTP/web', 'R.TEST', 3, 18],
        ['HTTP/web', 'R.TEST', 3, 17],
      ],
    );
    for (const { encryptionType, value } of keys) {
      assert.deepEqual(Buffer.from(value), Buffer.from(stringToKey(encryptionType, 'pass', 'R.TESTsvc-web')));
      assert.equal(said.includes(Buffer.from(value).toString('hex')), false);
    }
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match(
      said,
      /: 4 keys\n {2}kvno {2}type .*\n {2}3 {5}aes256-cts-hmac-sha1-96 {2}2026-11-29T12:02:30Z {2}HTTP\/web\.r\.test@R\.TEST\n/,
    );
    assert.match(said, /Salt: R\.TESTsvc-web\n$/);
    assert.deepEqual(await readdir(scratch.path), ['http.keytab']);
  });

  it('replaces nothing without --force', async () => {
    await using scratch = await scratchFolder('keytab');
    const file = scratch.file('http.keytab');
    await writeFile(file, 'before');
    await chmod(file, 0o644);
    await symlink('nowhere', scratch.file('link'));
    for (const there of [file, scratch.file('link')]) {
      assert.throws(() => createKeytab(options(there), 'pass'), {
        name: 'CommandError',
        message: /--force to replace/,
      });
    }
    assert.equal(await readFile(file, 'utf8'), 'before');
    createKeytab(options(file, '--force'), 'pass');
    assert.equal(decodeKeytabKeys(await readFile(file)).length, 2);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(scratch.path)).sort(), ['http.keytab', 'link']);
  });

  it('says what is wrong with the path', async () => {
    await using scratch = await scratchFolder('keytab');
    const file = scratch.file('missing', 'http.keytab');
    assert.throws(() => createKeytab(options(file), 'pass'), {
      name: 'CommandError',
      message: /cannot write .*ENOENT/,
    });
  });
});

describe('keytab list', () => {
  it('marks what is weak, and shows no key', async () => {
    await using scratch = await scratchFolder('keytab');
    const file = scratch.file('http.keytab');
    const entries = [0, 3, 23, 18, 26, 77].map((encryptionType) => ({
      ...{ components: ['HTTP', 'web\u202e'], realm: 'R', keyVersion: encryptionType, encryptionType },
      value: Buffer.from('secret-secret-se'),
    }));
    await writeFile(file, encodeKeytab(entries, 0), { mode: 0o600 });
    const { text, warning } = listKeytab(file);
    assert.equal(
      text,
      `${file}: 6 keys
  kvno  type                     written  principal
  any   encryption type 0        -        HTTP/web\\u202e@R  (weak: always refused)
  3     des-cbc-md5              -        HTTP/web\\u202e@R  (weak: always refused)
  23    arcfour-hmac             -        HTTP/web\\u202e@R  (weak: refused without option allowRc4)
  18    aes256-cts-hmac-sha1-96  -        HTTP/web\\u202e@R
  26    camellia256-cts-cmac     -        HTTP/web\\u202e@R  (not known to provider 'portable')
  77    encryption type 77       -        HTTP/web\\u202e@R  (weak: always refused)
`,
    );
    assert.equal(warning, undefined);
    await chmod(file, 0o644);
    assert.match(listKeytab(file).warning ?? '', /the file can be read by every user of this machine: chmod 600/);
  });

  it('says what is wrong', async () => {
    await using scratch = await scratchFolder('keytab');
    await writeFile(scratch.file('text'), 'text');
    assert.throws(() => listKeytab(scratch.file('text')), {
      name: 'CommandError',
      message: /is no keytab: file format/,
    });
    assert.throws(() => listKeytab(scratch.file('none')), { name: 'CommandError', message: /cannot read .*ENOENT/ });
  });
});

describe('the password', () => {
  /** A terminal whose user types in pieces. */
  function terminal(...typed: readonly string[]): { input: PasswordInput; output: PassThrough; modes: boolean[] } {
    const modes: boolean[] = [];
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (mode: boolean) => void modes.push(mode),
    });
    for (const piece of typed) input.write(piece);
    return { input, output: new PassThrough(), modes };
  }
  // From Node 26 on, read() gives one chunk, not all that is buffered.
  const shown = (output: PassThrough): string => {
    let text = '';
    const next = (): Buffer | null => output.read() as Buffer | null;
    for (let chunk = next(); chunk !== null; chunk = next()) text += chunk.toString();
    return text;
  };

  it('is the first line of a pipe', async () => {
    for (const [given, expected] of [
      ['pass wörd', 'pass wörd'],
      ['pass\n', 'pass'],
      ['pass\r\nmore\n', 'pass'],
    ] as const) {
      const input = new PassThrough();
      input.end(given);
      assert.equal(await readPassword(input, new PassThrough()), expected);
    }
  });

  it('is asked for twice at a terminal, and never shown', async () => {
    const { input, output, modes } = terminal('se', 'crexy\u007f\u007ft\r', 'secret\r');
    assert.equal(await readPassword(input, output), 'secret');
    assert.equal(shown(output), 'Password: \nAgain: \n');
    assert.deepEqual(modes, [true, false]);
  });

  it('may be pasted at once, with letters of several bytes', async () => {
    const { input, output } = terminal('größe\rgröße\r');
    assert.equal(await readPassword(input, output), 'größe');
  });

  const ended: [string, readonly string[], RegExp][] = [
    ['differs the second time', ['one\r', 'two\r'], /the two passwords differ/],
    ['is empty', ['\r'], /no password was given/],
    ['is ended by Ctrl-C', ['sec\u0003'], /no password was given/],
    ['is ended by Ctrl-D', ['\u0004'], /no password was given/],
  ];
  for (const [name, typed, message] of ended) {
    it(`writes nothing where it ${name}`, async () => {
      const { input, output, modes } = terminal(...typed);
      await assert.rejects(
        readPassword(input, output),
        (error: unknown) => error instanceof CommandError && message.test(error.message),
      );
      assert.deepEqual(modes, [true, false]);
    });
  }

  it('of an empty pipe is none', async () => {
    const input = new PassThrough();
    input.end('');
    await assert.rejects(readPassword(input, new PassThrough()), { name: 'CommandError' });
  });
});
