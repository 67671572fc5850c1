/** The replay cache of MIT krb5: the one that environment and krb5.conf name, and one that cannot be used. */
import assert from 'node:assert/strict';
import { chown, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { after, afterEach, before, describe, it } from 'node:test';
import { OptionError } from '../../../src/foundation/errors.ts';
import type { KerberosAuthData } from '../../../src/native/gssapi/index.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, useRealm } from './acceptor.ts';

const ready = await tier('kdc', gssClientPackages);
const variables = ['KRB5RCACHENAME', 'KRB5RCACHETYPE', 'KRB5RCACHEDIR', 'TMPDIR', 'KRB5_CONFIG'] as const;
const uid = process.getuid?.() ?? 0;

describe('the replay cache of MIT krb5', ready, () => {
  let kdc: Kdc;
  let client: GssClient;
  const whatWas = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
    client = await startGssClient(await kdc.signIn('alice'));
  });
  /** The environment of a test: these, and no other of the variables but KRB5_CONFIG. */
  const environment = (values: Partial<Record<(typeof variables)[number], string>>): void => {
    for (const name of variables) {
      const value = values[name] ?? (name === 'KRB5_CONFIG' ? kdc.env['KRB5_CONFIG'] : undefined);
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  afterEach(() => {
    environment({ KRB5RCACHEDIR: kdc.file('.') });
  });
  after(async () => {
    for (const [name, value] of Object.entries(whatWas)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    await client[Symbol.asyncDispose]();
    await kdc.stop();
  });

  /** A krb5.conf with a default_rcache_name. */
  const configured = async (name: string): Promise<string> => {
    const path = kdc.file(`krb5-${encodeURIComponent(name).slice(-40)}.conf`);
    const text = await readFile(kdc.file('krb5.conf'), 'utf8');
    await writeFile(path, text.replace('[libdefaults]', `[libdefaults]\n default_rcache_name = ${name}`));
    return path;
  };
  const folder = async (name: string): Promise<string> => {
    await mkdir(kdc.file(name), { recursive: true });
    return kdc.file(name);
  };
  /** How often a token is accepted, and what the operator was told at start. */
  const acceptedOf = async (authData: KerberosAuthData = {}): Promise<{ accepted: number; warnings: string[] }> => {
    const warnings: string[] = [];
    using server = await acceptor({ keytab: kdc.keytab, onWarning: (text) => warnings.push(text), ...authData });
    const token = await client.initiate();
    const statuses = [await server.verify(token), await server.verify(token)].map(({ status }) => status);
    assert.equal(statuses[0], 'SEC_E_OK');
    return { accepted: statuses.filter((status) => status === 'SEC_E_OK').length, warnings };
  };
  const once = { accepted: 1, warnings: [] };
  const entriesIn = async (path: string): Promise<boolean> => (await stat(path)).size > 0;

  it('D01: is the one that KRB5RCACHENAME names', async () => {
    const path = kdc.file('named');
    environment({ KRB5RCACHENAME: `file2:${path}`, KRB5RCACHEDIR: await folder('unused') });
    assert.deepEqual(await acceptedOf(), once);
    assert.ok(await entriesIn(path));
    await assert.rejects(stat(`${kdc.file('unused')}/krb5_${uid}.rcache2`), { code: 'ENOENT' });
  });

  it('D01: is the one that krb5.conf names, with its parameters', async () => {
    const temporary = await folder('temporary');
    const KRB5_CONFIG = await configured('file2:%{TEMP}/replay-%{uid}%{null}');
    environment({ KRB5_CONFIG, TMPDIR: temporary, KRB5RCACHEDIR: await folder('unused') });
    assert.deepEqual(await acceptedOf(), once);
    assert.ok(await entriesIn(`${temporary}/replay-${uid}`));
    // The variable comes before the file.
    environment({ KRB5_CONFIG, TMPDIR: temporary, KRB5RCACHENAME: `file2:${kdc.file('first')}` });
    assert.deepEqual(await acceptedOf(), once);
    assert.ok(await entriesIn(kdc.file('first')));
  });

  it('is in the folder of KRB5RCACHEDIR, else of TMPDIR, where nothing names one', async () => {
    const TMPDIR = await folder('tmpdir');
    environment({ TMPDIR });
    assert.deepEqual(await acceptedOf(), once);
    assert.ok(await entriesIn(`${TMPDIR}/krb5_${uid}.rcache2`));
    const KRB5RCACHEDIR = await folder('rcachedir');
    environment({ TMPDIR, KRB5RCACHEDIR });
    assert.deepEqual(await acceptedOf(), once);
    assert.ok(await entriesIn(`${KRB5RCACHEDIR}/krb5_${uid}.rcache2`));
  });

  it('is the one of the option, whatever else names one', async () => {
    environment({ KRB5RCACHENAME: 'none:' });
    assert.deepEqual(await acceptedOf({ replayCache: `file2:${kdc.file('option')}` }), once);
    environment({ KRB5RCACHENAME: `file2:${kdc.file('option')}` });
    assert.equal((await acceptedOf({ replayCache: false })).accepted, 2);
  });

  it('is none where environment or krb5.conf say so, and the operator is told', async () => {
    for (const [values, who] of [
      [{ KRB5RCACHENAME: 'none:' }, 'KRB5RCACHENAME'],
      [{ KRB5RCACHETYPE: 'none' }, 'KRB5RCACHETYPE'],
      [{ KRB5_CONFIG: await configured('none:') }, 'default_rcache_name in krb5.conf'],
    ] as const) {
      environment(values);
      const { accepted, warnings } = await acceptedOf();
      assert.equal(accepted, 2);
      assert.deepEqual(warnings, [
        `sspi-auth: there is no replay cache, because ${who} says so: a token can be accepted twice.`,
      ]);
    }
  });

  describe('that cannot be used ends the start, with the path and the cure', () => {
    type Environment = Parameters<typeof environment>[0];
    const file = `krb5_${uid}.rcache2`;
    const cases: readonly (readonly [name: string, values: () => Environment | Promise<Environment>, RegExp])[] = [
      ['its folder is missing', () => ({ KRB5RCACHEDIR: kdc.file('absent') }), /absent\/krb5_\d+\.rcache2.*ENOENT/],
      ['the temporary folder is missing', () => ({ TMPDIR: kdc.file('absent') }), /absent\/krb5_\d+\.rcache2.*ENOENT/],
      ['its folder is a file', () => ({ KRB5RCACHEDIR: kdc.keytab }), /http\.keytab\/krb5_\d+\.rcache2.*ENOTDIR/],
      [
        'it is a symbolic link',
        async () => {
          const KRB5RCACHEDIR = await folder('linked');
          await symlink(kdc.file('elsewhere'), `${KRB5RCACHEDIR}/${file}`);
          return { KRB5RCACHEDIR };
        },
        /linked\/krb5_\d+\.rcache2.*ELOOP/,
      ],
      [
        'the variable names a folder that is missing',
        () => ({ KRB5RCACHENAME: `file2:${kdc.file('absent')}/x` }),
        /absent\/x" \(named by KRB5RCACHENAME\).*ENOENT/,
      ],
      [
        'the variable names a type that nobody knows',
        () => ({ KRB5RCACHENAME: 'memory:x' }),
        /KRB5RCACHENAME.*libkrb5 does not know.*file2:/,
      ],
      [
        'the variable names no type',
        () => ({ KRB5RCACHENAME: '/run/replay' }),
        /KRB5RCACHENAME.*libkrb5 does not know/,
      ],
      ['the variable is empty', () => ({ KRB5RCACHENAME: '' }), /KRB5RCACHENAME.*libkrb5 does not know/],
      [
        'krb5.conf names a folder that is missing',
        async () => ({ KRB5_CONFIG: await configured('file2:/absent/x') }),
        /\/absent\/x" \(named by default_rcache_name in krb5\.conf\).*ENOENT/,
      ],
      [
        'krb5.conf has a parameter that nobody knows',
        async () => ({ KRB5_CONFIG: await configured('file2:%{nosuch}/x') }),
        /default_rcache_name.*parameter "nosuch"/,
      ],
    ];
    for (const [name, values, message] of cases) {
      it(name, async () => {
        environment(await values());
        await assert.rejects(acceptor({ keytab: kdc.keytab }), (error: unknown) => {
          assert.ok(error instanceof OptionError, String(error));
          assert.equal(error.option, 'authData.replayCache');
          assert.match(error.message, message);
          assert.match(error.cure, /file2:|without it/);
          return true;
        });
        // With the option, the default does not matter.
        assert.deepEqual(await acceptedOf({ replayCache: `file2:${kdc.file('option')}` }), once);
      });
    }

    it('it belongs to somebody else', { skip: uid === 0 ? false : 'needs root' }, async () => {
      const KRB5RCACHEDIR = await folder('foreign');
      await writeFile(`${KRB5RCACHEDIR}/${file}`, '');
      await chown(`${KRB5RCACHEDIR}/${file}`, 12345, 12345);
      environment({ KRB5RCACHEDIR });
      await assert.rejects(acceptor({ keytab: kdc.keytab }), {
        option: 'authData.replayCache',
        message: /foreign\/krb5_0\.rcache2 belongs to another user \(uid 12345\)/,
      });
    });
  });
});
