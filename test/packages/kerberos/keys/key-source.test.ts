/** The keys of option `keytab`: a path, bytes, a password. With real tickets: test/live/kerberos/. */
import assert from 'node:assert/strict';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { stringToKey } from '../../../../src/crypto/kerberos/string-to-key.ts';
import { encodeKeytab } from '../../../../src/formats/kerberos/keytab-writer.ts';
import type { KeytabSource } from '../../../../src/formats/kerberos/keytab-writer.ts';
import { isHttpService } from '../../../../src/kerberos/accepted-services.ts';
import { kerberosKeys } from '../../../../src/packages/kerberos/keys/kerberos-keys.ts';
import type { KerberosKeysOptions } from '../../../../src/packages/kerberos/keys/kerberos-keys.ts';
import { keySource, keytab } from '../../../../src/packages/kerberos/keys/key-source.ts';
import type { KeytabValue } from '../../../../src/packages/kerberos/keys/key-source.ts';
import type { ServiceKeys } from '../../../../src/packages/kerberos/service-keys.ts';
import { scratchFolder } from '../../../lab/scratch.ts';
import { SteeredClock } from '../../../stores/steered-clock.ts';

const strong = new Set([17, 18, 19, 20]);
const ticket = { realm: 'R.TEST', serviceName: 'HTTP/web', encryptionType: 18, keyVersion: 3 };

function key(keyVersion: number, more: Partial<KeytabSource> = {}): KeytabSource {
  const value = Buffer.alloc(32, keyVersion);
  return { components: ['HTTP', 'web'], realm: 'R.TEST', keyVersion, encryptionType: 18, value, ...more };
}

interface Opened {
  readonly keys: ServiceKeys;
  readonly clock: SteeredClock;
  readonly warnings: string[];
}

function open(value: KeytabValue | undefined, encryptionTypes: ReadonlySet<number> = strong): Opened {
  const clock = new SteeredClock();
  const warnings: string[] = [];
  const source = keySource(value, { clock, onWarning: (text) => void warnings.push(text), option: 'authData.keytab' });
  const keys = source({ acceptsService: (name) => isHttpService(name), services: 'HTTP/*', encryptionTypes });
  return { keys, clock, warnings };
}

const bytesOf = (...keys: readonly KeytabSource[]): KeytabValue => keytab(encodeKeytab(keys, 0), 'keytab');

describe('keys of a ticket', () => {
  const versions = (keys: ServiceKeys, asked = ticket): string[] =>
    keys.candidates(asked).map((found) => `${found.name} ${found.keyVersion}`);

  it('are those of its type: service and kvno that it names first, then all others', () => {
    const other = { components: ['HTTP', 'other'] };
    const { keys } = open(
      bytesOf(
        key(5),
        key(3, other),
        key(4, other),
        key(3),
        key(4),
        key(3, { encryptionType: 17, value: Buffer.alloc(16) }),
      ),
    );
    assert.deepEqual(versions(keys), ['HTTP/web 3', 'HTTP/web 5', 'HTTP/web 4', 'HTTP/other 3', 'HTTP/other 4']);
    assert.deepEqual(
      versions(keys, { ...ticket, serviceName: 'http/WEB', realm: 'r.test', keyVersion: 4 })[0],
      'HTTP/web 4',
    );
    assert.equal(keys.candidates({ ...ticket, encryptionType: 17 })[0]?.encryptionType, 17);
    assert.deepEqual(keys.candidates({ ...ticket, encryptionType: 20 }), []);
  });

  it('D05: are never those of a service that is not accepted', () => {
    const { keys } = open(bytesOf(key(3), key(4, { components: ['cifs', 'web'] })));
    assert.deepEqual(versions(keys, { ...ticket, serviceName: 'cifs/web', keyVersion: 4 }), ['HTTP/web 3']);
    assert.deepEqual(
      keys.entries().map(({ name }) => name),
      ['HTTP/web', 'cifs/web'],
      'the diagnosis knows all',
    );
  });

  it('D06: are never of a type that is refused', () => {
    const rc4 = key(3, { encryptionType: 23, value: Buffer.alloc(16) });
    assert.deepEqual(open(bytesOf(key(3), rc4)).keys.candidates({ ...ticket, encryptionType: 23 }), []);
    const allowed = open(bytesOf(key(3), rc4), new Set([...strong, 23]));
    assert.equal(allowed.keys.candidates({ ...ticket, encryptionType: 23 }).length, 1);
  });

  it('D09: with a wrong length are left out', () => {
    const { keys } = open(bytesOf(key(3), key(4, { value: Buffer.alloc(31) })));
    assert.deepEqual(versions(keys), ['HTTP/web 3']);
  });

  it('are wiped when the credential is freed', () => {
    const { keys } = open(bytesOf(key(3)));
    const [first] = keys.candidates(ticket);
    assert.deepEqual(Buffer.from(first?.key.value ?? []), Buffer.alloc(32, 3));
    keys.free();
    assert.deepEqual(Buffer.from(first?.key.value ?? []), Buffer.alloc(32));
  });
});

describe('a keytab file', () => {
  it('is read again when it changes, and keeps the objects of unchanged keys', async () => {
    await using scratch = await scratchFolder('keytab');
    const path = scratch.file('http.keytab');
    await writeFile(path, encodeKeytab([key(3), key(2)], 0), { mode: 0o600 });
    const { keys, clock, warnings } = open(`FILE:${path}`);
    const [three, two] = keys.candidates(ticket);
    assert.ok(three !== undefined && two !== undefined);
    await writeFile(scratch.file('next'), encodeKeytab([key(4), key(3)], 0), { mode: 0o600 });
    await rename(scratch.file('next'), path);
    assert.equal(keys.holds(two), true, 'it is looked at once a second');
    clock.pass(1000);
    assert.equal(keys.holds(two), false);
    assert.equal(keys.holds(three), true);
    assert.equal(keys.candidates(ticket)[0], three);
    assert.equal(keys.candidates({ ...ticket, keyVersion: 4 })[0]?.keyVersion, 4);
    assert.deepEqual(Buffer.from(two.key.value), Buffer.alloc(32), 'a key that left is wiped');
    assert.equal(keys.describe(), path);
    assert.deepEqual(warnings, []);
  });

  it('is looked at when a ticket was refused, but not for every one', async () => {
    await using scratch = await scratchFolder('keytab');
    const path = scratch.file('http.keytab');
    await writeFile(path, encodeKeytab([key(3)], 0), { mode: 0o600 });
    const { keys } = open(path);
    await writeFile(scratch.file('next'), encodeKeytab([key(4)], 0), { mode: 0o600 });
    await rename(scratch.file('next'), path);
    assert.equal(keys.refreshAfterRefusal(), true);
    assert.equal(keys.candidates({ ...ticket, keyVersion: 4 })[0]?.keyVersion, 4);
    for (let count = 0; count < 20; count++) assert.equal(keys.refreshAfterRefusal(), false);
    await writeFile(scratch.file('next'), encodeKeytab([key(5), key(4)], 0), { mode: 0o600 });
    await rename(scratch.file('next'), path);
    assert.equal(keys.refreshAfterRefusal(), false, 'the budget is used up');
  });

  it('keeps its keys with one warning while it is missing, broken or without a key of use', async () => {
    await using scratch = await scratchFolder('keytab');
    const path = scratch.file('http.keytab');
    await writeFile(path, encodeKeytab([key(3)], 0), { mode: 0o600 });
    const { keys, clock, warnings } = open(path);
    const [three] = keys.candidates(ticket);
    const steps: [() => Promise<void>, RegExp][] = [
      [() => rm(path), /does not exist any more/],
      [() => writeFile(path, 'no keytab', { mode: 0o600 }), /file format version/],
      [() => writeFile(path, encodeKeytab([key(9, { components: ['cifs', 'w'] })], 0)), /no key for HTTP/],
    ];
    for (const [step, reason] of steps) {
      await step();
      clock.pass(2000);
      assert.equal(keys.candidates(ticket)[0], three);
      assert.match(keys.reloadFailure ?? '', reason);
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /the changed keytab .*http\.keytab cannot be used, so the old keys stay in use/);
    await writeFile(path, encodeKeytab([key(3), key(4)], 0), { mode: 0o600 });
    clock.pass(2000);
    assert.equal(keys.candidates({ ...ticket, keyVersion: 4 })[0]?.keyVersion, 4);
    assert.equal(keys.reloadFailure, undefined);
  });

  it('that others can read is told of once', async () => {
    await using scratch = await scratchFolder('keytab');
    const path = scratch.file('http.keytab');
    await writeFile(path, encodeKeytab([key(3)], 0));
    await chmod(path, 0o644);
    const { warnings } = open(path);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /can sign in here as anybody, and it can be read by every user.*chmod 600/);
  });

  const refused: [string, (path: string) => Promise<unknown>, RegExp][] = [
    ['that is missing', () => Promise.resolve(), /which cannot be used \(ENOENT/],
    ['that is none', (path) => writeFile(path, 'text'), /which cannot be used \(file format version/],
    [
      'without an accepted service',
      (path) => writeFile(path, encodeKeytab([key(3, { components: ['cifs'] })], 0)),
      /which has no key for HTTP\/\* \(it has cifs@R\.TEST kvno 3/,
    ],
    [
      'of RC4 alone',
      (path) => writeFile(path, encodeKeytab([key(3, { encryptionType: 23 })], 0)),
      /has only keys that are refused.*"allowRc4"/,
    ],
  ];
  for (const [name, prepare, message] of refused) {
    it(`${name} is refused at start`, async () => {
      await using scratch = await scratchFolder('keytab');
      await prepare(scratch.file('http.keytab'));
      const error = { code: 'ERR_SSPI_AUTH_OPTION', option: 'authData.keytab', message };
      assert.throws(() => open(scratch.file('http.keytab')), error);
    });
  }

  it('is that of KRB5_KTNAME, else /etc/krb5.keytab', async () => {
    await using scratch = await scratchFolder('keytab');
    const path = scratch.file('http.keytab');
    await writeFile(path, encodeKeytab([key(3)], 0), { mode: 0o600 });
    const before = process.env['KRB5_KTNAME'];
    try {
      process.env['KRB5_KTNAME'] = `FILE:${path}`;
      assert.equal(open(undefined).keys.describe(), path);
      process.env['KRB5_KTNAME'] = 'MEMORY:x';
      assert.throws(() => open(undefined), { message: /is MEMORY:x, which is not a file/ });
    } finally {
      if (before === undefined) delete process.env['KRB5_KTNAME'];
      else process.env['KRB5_KTNAME'] = before;
    }
  });
});

describe('the bytes of a keytab', () => {
  it('are copied, and nothing prints them', () => {
    const bytes = encodeKeytab([key(0x61)], 0);
    const value = keytab(bytes, 'keytab');
    bytes.fill(0);
    const { keys } = open(value);
    assert.equal(keys.candidates(ticket).length, 1);
    assert.equal(keys.describe(), 'given as bytes');
    assert.equal(keys.refreshAfterRefusal(), false);
    assert.doesNotMatch(inspect(value, { depth: 9, showHidden: true }), /aaaa|61, 61|97/);
  });

  it('that are none are refused', () => {
    assert.throws(() => open(keytab(Buffer.from('text'), 'keytab')), {
      code: 'ERR_SSPI_AUTH_OPTION',
      message: /is bytes that are no keytab/,
    });
    assert.throws(() => keytab(5, 'keytab'), { message: /"keytab" is 5\. Give the path of a keytab, its bytes/ });
  });
});

describe('kerberosKeys', () => {
  const options: KerberosKeysOptions = {
    realm: 'R.TEST',
    servicePrincipalNames: ['HTTP/web', 'HTTP/web.r.test@R.TEST'],
    account: 'svc-web',
    password: 'Passw0rd-of-the-service',
  };

  it('makes a key of each type for each service, for tickets under any kvno', () => {
    const { keys } = open(kerberosKeys(options), new Set([...strong, 23]));
    for (const encryptionType of [17, 18, 19, 20, 23]) {
      const found = keys.candidates({ ...ticket, encryptionType, keyVersion: 77 });
      assert.deepEqual(
        found.map(({ name }) => name),
        ['HTTP/web', 'HTTP/web.r.test'],
      );
      const expected = stringToKey(encryptionType, options.password, 'R.TESTsvc-web');
      assert.deepEqual(Buffer.from(found[0]?.key.value ?? []), Buffer.from(expected));
    }
    assert.equal(keys.describe(), 'made from the password of svc-web');
  });

  it('D06: gives no key of RC4 unless that is allowed', () => {
    const { keys } = open(kerberosKeys(options));
    assert.deepEqual(keys.candidates({ ...ticket, encryptionType: 23 }), []);
  });

  it('takes a salt', () => {
    const { keys } = open(kerberosKeys({ ...options, salt: 'R.TESTother' }));
    const expected = stringToKey(18, options.password, 'R.TESTother');
    assert.deepEqual(Buffer.from(keys.candidates(ticket)[0]?.key.value ?? []), Buffer.from(expected));
  });

  it('G04: shows neither password nor keys', () => {
    const made = kerberosKeys(options);
    const shown = `${inspect(made, { depth: 9, showHidden: true })}${JSON.stringify(made)}`;
    assert.doesNotMatch(shown, /Passw0rd|Uint8Array|\[\d+,/);
  });

  const wrong: [string, object, RegExp][] = [
    ['no realm', { realm: undefined }, /"realm" is missing/],
    ['a realm with an @', { realm: 'a@B' }, /"realm" is "a@B"/],
    ['no service', { servicePrincipalNames: [] }, /"servicePrincipalNames"/],
    ['a service of another realm', { servicePrincipalNames: ['HTTP/web@OTHER'] }, /Name services of the realm R\.TEST/],
    ['no account', { account: '' }, /"account"/],
    ['an empty password', { password: '' }, /"password" is empty or no string/],
    ['a password that is none', { password: { secret: 'x' } }, /"password" is empty or no string/],
    ['an unknown option', { kvno: 3 }, /"kvno"/],
  ];
  for (const [name, change, message] of wrong) {
    it(`refuses ${name}`, () => {
      assert.throws(() => kerberosKeys({ ...options, ...change }), { code: 'ERR_SSPI_AUTH_OPTION', message });
    });
  }
});
