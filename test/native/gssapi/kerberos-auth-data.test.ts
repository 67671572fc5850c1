/** Settings of the Kerberos package with real keytab files: the accepted services and encryption types. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { kerberosSettings, readKerberosOptions } from '../../../src/native/gssapi/kerberos-auth-data.ts';
import { keytabPath } from '../../../src/formats/kerberos/keytab-name.ts';
import { fileSignature } from '../../../src/foundation/file-signature.ts';
import { isHttpService } from '../../../src/kerberos/accepted-services.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import type { KerberosSettings } from '../../../src/native/gssapi/call/kerberos-settings.ts';

let folder: ScratchFolder;
before(async () => {
  folder = await scratchFolder('settings');
});
after(() => folder.remove());

type Key = readonly [service: string, encryptionType: number];

let files = 0;
function keytabOf(...keys: readonly Key[]): string {
  const path = folder.file(`keytab-${files++}`);
  const entries = keys.map(([service, type]) => keytabEntry(service.split('/'), 'R.TEST', 3, type));
  writeFileSync(path, Buffer.concat([KEYTAB_HEAD, ...entries]));
  return path;
}

const web: Key = ['HTTP/web.test', 18];
const notAsked = (): never => assert.fail('the default keytab is not wanted');
const settings = (authData: object = {}, principal?: string): KerberosSettings =>
  kerberosSettings(readKerberosOptions({ keytab: keytabOf(web), ...authData }), principal, notAsked);

describe('the services whose tickets are taken (D05)', () => {
  const cases: readonly (readonly [string, readonly string[] | undefined, string | undefined, string, boolean])[] = [
    ['any of HTTP where none is named', undefined, undefined, 'HTTP/other.test@R.TEST', true],
    ['those of HTTP in any case', undefined, undefined, 'http/other.test@R.TEST', true],
    ['none of another class', undefined, undefined, 'host/web.test@R.TEST', false],
    ['none that only begins like it', undefined, undefined, 'HTTPS/web.test@R.TEST', false],
    ['none that only ends like it', undefined, undefined, 'xHTTP/web.test@R.TEST', false],
    ['the one that is named', ['HTTP/web.test'], undefined, 'HTTP/web.test@R.TEST', true],
    ['it in any case', ['HTTP/Web.Test'], undefined, 'http/WEB.test@R.TEST', true],
    ['it of any realm', ['HTTP/web.test'], undefined, 'HTTP/web.test@OTHER.TEST', true],
    ['it of its realm', ['HTTP/web.test@r.test'], undefined, 'HTTP/web.test@R.TEST', true],
    ['not of another realm', ['HTTP/web.test@R.TEST'], undefined, 'HTTP/web.test@OTHER.TEST', false],
    ['no other where one is named', ['HTTP/web.test'], undefined, 'HTTP/other.test@R.TEST', false],
    ['none whose name is longer', ['HTTP/web.test'], undefined, 'HTTP/web.test/x@R.TEST', false],
    ['each of two', ['HTTP/a.test', 'HTTP/web.test'], undefined, 'HTTP/web.test@R.TEST', true],
    ['that of pszPrincipal', undefined, 'HTTP/web.test', 'HTTP/web.test@R.TEST', true],
    ['no other than that of pszPrincipal', undefined, 'HTTP/web.test', 'HTTP/other.test@R.TEST', false],
    ['that of pszPrincipal beside a list', ['HTTP/a.test'], 'HTTP/web.test', 'HTTP/web.test@R.TEST', true],
    ['the list beside pszPrincipal', ['HTTP/web.test'], 'HTTP/a.test', 'HTTP/web.test@R.TEST', true],
  ];
  for (const [name, servicePrincipalNames, principal, asked, taken] of cases) {
    it(name, () => {
      const [service = '', realm = ''] = asked.split('@');
      const { acceptsService } = settings({ servicePrincipalNames }, principal);
      assert.equal(acceptsService(service, realm), taken);
    });
  }

  it('are told in the log', () => {
    assert.equal(settings().services, 'HTTP/*');
    assert.equal(
      settings({ servicePrincipalNames: ['HTTP/web.test', 'HTTP/a@R'] }).services,
      'HTTP/web.test, HTTP/a@R',
    );
  });

  it('have names of class and host, and nothing else', () => {
    for (const name of ['', 'web.test', '/web.test', 'HTTP/', 'HTTP/a b', 'HTTP/a@', 'HTTP/a@R@S', '@R', 5, null]) {
      assert.throws(() => settings({ servicePrincipalNames: ['HTTP/web.test', name] }), {
        option: 'authData.servicePrincipalNames[1]',
      });
    }
    for (const servicePrincipalNames of [[], 'HTTP/web.test', null]) {
      assert.throws(() => settings({ servicePrincipalNames }), { option: 'authData.servicePrincipalNames' });
    }
    assert.throws(() => settings({}, 'web.test'), { option: 'principal' });
  });
});

describe('the encryption types that are taken (D06)', () => {
  it('are AES and Camellia; RC4 only where it is allowed; DES never', () => {
    const strong = [17, 18, 19, 20, 25, 26];
    assert.deepEqual([...settings().encryptionTypes].sort(), strong);
    assert.deepEqual([...settings({ allowRc4: false }).encryptionTypes].sort(), strong);
    assert.deepEqual([...settings({ allowRc4: true }).encryptionTypes].sort(), [17, 18, 19, 20, 23, 25, 26]);
  });

  it('count for the keytab: it needs a key that can be used, of a service that is taken', () => {
    const of = (...keys: readonly Key[]): object => ({ keytab: keytabOf(...keys) });
    assert.throws(() => settings(of(['HTTP/web.test', 23])), /only keys that are refused.*arcfour-hmac/);
    assert.ok(settings({ ...of(['HTTP/web.test', 23]), allowRc4: true }));
    assert.throws(() => settings({ ...of(['HTTP/web.test', 3]), allowRc4: true }), /only keys that are refused/);
    assert.throws(() => settings(of(['HTTP/web.test', 23], ['host/web.test', 18])), /only keys that are refused/);
    assert.throws(() => settings(of(['host/web.test', 18])), /no key for HTTP\/\*.*host\/web\.test@R\.TEST kvno 3/);
    assert.throws(() => settings({ servicePrincipalNames: ['HTTP/other.test'] }), /no key for HTTP\/other\.test/);
    assert.ok(settings(of(['HTTP/web.test', 23], web)));
    assert.throws(() => settings(of()), /it has no keys/);
  });
});

const none = { asynchronous: false, requirePac: false, delegate: false };

describe('the other settings of Kerberos', () => {
  it('that contradict each other are refused', () => {
    assert.equal(settings().ignorePac, false);
    assert.equal(settings({ ignorePac: true }).ignorePac, true);
    assert.throws(() => settings({ ignorePac: true, requirePac: true }), { option: 'authData.ignorePac' });
  });

  it('are off where they are left out', () => {
    const { asynchronous, requirePac, delegate, replayCache, clock } = settings();
    assert.deepEqual([asynchronous, requirePac, delegate, replayCache], [false, false, false, undefined]);
    assert.equal(clock, systemClock);
  });

  it('are what is given, each on its own', () => {
    for (const name of ['asynchronous', 'requirePac', 'delegate'] as const) {
      const { asynchronous, requirePac, delegate } = settings({ [name]: true });
      assert.deepEqual({ asynchronous, requirePac, delegate }, { ...none, [name]: true });
    }
    for (const name of ['asynchronous', 'requirePac', 'delegate', 'allowRc4']) {
      for (const value of ['true', 1, null])
        assert.throws(() => settings({ [name]: value }), { option: `authData.${name}` });
    }
  });

  it('D01: a replay cache is on unless it is switched off by name', () => {
    for (const [option, name] of [
      // That of the library: KRB5RCACHENAME, krb5.conf, or dfl:.
      [undefined, undefined],
      [true, undefined],
      [false, 'none:'],
      ['dfl:', 'dfl:'],
      ['none:', 'none:'],
      ['file2:/run/app/replay', 'file2:/run/app/replay'],
    ] as const) {
      const { replayCache, replayCacheOption } = settings({ replayCache: option });
      assert.deepEqual([replayCache, replayCacheOption], [name, option ?? true]);
    }
    for (const option of ['', 'dfl', 'none', 'none:x', 'dfl:x', 'file2:', 'memory:', ' none:', 0, null]) {
      assert.throws(() => settings({ replayCache: option }), { option: 'authData.replayCache' }, String(option));
    }
  });

  it('may be left out altogether, but are an object', () => {
    const path = keytabOf(web);
    assert.equal(kerberosSettings(readKerberosOptions(undefined), undefined, () => `FILE:${path}`).keytab, path);
    for (const authData of [null, 5, 'keytab']) {
      assert.throws(() => readKerberosOptions(authData), { option: 'authData' });
    }
  });

  it('are refused where one is misspelt: none lets in what should be refused', () => {
    for (const [given, right] of [
      ['requirepac', 'requirePac'],
      ['allowRC4', 'allowRc4'],
      ['servicePrincipalName', 'servicePrincipalNames'],
    ] as const) {
      const message = new RegExp(`Write "authData\\.${right}"`);
      assert.throws(() => settings({ [given]: true }), { option: `authData.${given}`, message });
    }
  });

  it('need a keytab that can be read', () => {
    assert.throws(() => settings({ keytab: folder.file('none') }), /cannot be used.*ENOENT/);
    for (const keytab of ['', 5, null]) assert.throws(() => settings({ keytab }), { option: 'authData.keytab' });
    assert.throws(() => settings({ keytab: 'MEMORY:x' }), /is not a file/);
    writeFileSync(folder.file('xml'), '<xml/>');
    assert.throws(() => settings({ keytab: folder.file('xml') }), /cannot be used/);
  });
});

describe('a keytab file', () => {
  it('has a name with or without its type', () => {
    for (const name of ['/etc/a', 'FILE:/etc/a', 'WRFILE:/etc/a']) assert.equal(keytabPath(name), '/etc/a');
    assert.equal(keytabPath('C:\\a'), 'C:\\a');
    for (const name of ['', 'MEMORY:x', 'DIR:/etc', 'KEYRING:session:x']) {
      assert.equal(keytabPath(name), undefined, name);
    }
  });

  it('has a service of HTTP or not', () => {
    for (const name of ['HTTP/a', 'http/a', 'Http/a']) assert.ok(isHttpService(name));
    for (const name of ['HTTP', 'HTTPS/a', 'xHTTP/a', 'host/HTTP/a', '']) assert.ok(!isHttpService(name), name);
  });

  it('has another signature when it is another one, and none when it is gone', () => {
    const path = keytabOf(web);
    const first = fileSignature(path);
    assert.equal(fileSignature(path), first);
    writeFileSync(path, Buffer.concat([KEYTAB_HEAD, keytabEntry(['HTTP', 'web.test'], 'R.TEST', 4, 18)]), {
      flag: 'a',
    });
    assert.notEqual(fileSignature(path), first);
    assert.equal(fileSignature(folder.file('none')), undefined);
  });
});
