/** What the log tells the person who has to mend it, for the mistakes that administrators make. */
import assert from 'node:assert/strict';
import { chmod, copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sspiAuth } from '../../../adapters/node.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { curl } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import { runChecked, startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { tier } from '../../lab/tier.ts';
import { fakeTimeEnv } from '../../lab/fake-time.ts';
import { useRealm } from './acceptor.ts';

const ready = await tier('kdc', ['faketime']);
const negotiate = ['--negotiate', '-u', ':'];

/** A server, and what its log says of requests. */
interface Logged extends AsyncDisposable {
  readonly port: number;
  /** Sends one request with a ticket of alice; gives its status and the line of its refusal. */
  ask(env: Readonly<Record<string, string>>, words?: readonly string[]): Promise<{ status: number; text: string }>;
  readonly warnings: string[];
  /** Makes the clock go on, in milliseconds. */
  wait(milliseconds: number): void;
}

async function start(keytab: string): Promise<Logged> {
  const texts: string[] = [];
  const warnings: string[] = [];
  let waited = 0;
  const protect = sspiAuth({
    keytab,
    clock: { now: () => systemClock.now(), elapsed: () => systemClock.elapsed() + waited },
    logger: {
      info: () => undefined,
      error: () => undefined,
      warn: (record, message) => {
        if ('durationMilliseconds' in record) texts.push((record as { diagnosis?: string }).diagnosis ?? '');
        else if (!('advice' in record)) warnings.push(message);
      },
    },
  });
  const server = createServer(protect((_, response) => void response.end('in')));
  const { port, [Symbol.asyncDispose]: dispose } = await listen(server);
  return {
    port,
    warnings,
    wait: (milliseconds) => (waited += milliseconds),
    async ask(env, words = [...negotiate, `http://localhost:${port}/`]) {
      texts.length = 0;
      const { status } = await curl(words, { env });
      return { status, text: texts[0] ?? '' };
    },
    [Symbol.asyncDispose]: dispose,
  };
}

describe('what the log says of a ticket that is refused', ready, () => {
  let kdc: Kdc;
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
  });
  after(() => kdc.stop());

  /** A keytab with one key that is made of a password. */
  const keytabOf = async (file: string, principal: string, version: number, password = 'other'): Promise<string> => {
    const keytab = kdc.file(file);
    const type = 'aes256-cts-hmac-sha1-96';
    const input = `addent -password -p ${principal} -k ${version} -e ${type}\n${password}\nwkt ${keytab}\nquit\n`;
    await runChecked('ktutil', [], { env: kdc.env, input });
    return keytab;
  };
  const texts: string[] = [];
  const refusal = async (keytab: string, env?: Readonly<Record<string, string>>): Promise<string> => {
    await using server = await start(keytab);
    const { status, text } = await server.ask(env ?? (await kdc.signIn('alice')));
    assert.equal(status, 401);
    texts.push(text);
    return text;
  };

  it('under a newer key: the password was changed, or the name is on another account, and how to tell', async () => {
    const old = kdc.file('old.keytab');
    await copyFile(kdc.keytab, old);
    await kdc.administer(['cpw -randkey HTTP/localhost', `ktadd -norandkey -k ${kdc.keytab} HTTP/localhost`]);
    const text = await refusal(old);
    assert.match(text, /^where the account's password was changed, export its key to .*old\.keytab again/);
    assert.match(text, /`setspn -Q HTTP\/localhost`.*`kvno HTTP\/localhost`.*`klist -ke .*old\.keytab`/);
    assert.match(text, /kvno\) 3, but the keytab .*old\.keytab has kvno 2/);
  });

  it('under an older key: the client needs a new ticket, or the name is on another account', async () => {
    const env = await kdc.signIn('alice');
    await runChecked('kvno', ['HTTP/localhost'], { env });
    const fresh = kdc.file('fresh.keytab');
    await kdc.administer(['cpw -randkey HTTP/localhost', `ktadd -norandkey -k ${fresh} HTTP/localhost`]);
    const text = await refusal(fresh, env);
    assert.match(
      text,
      /^have the client get a new ticket \(`klist purge` on Windows, `kdestroy` and kinit elsewhere\)/,
    );
    assert.match(text, /kvno\) \d+, but the keytab .*fresh\.keytab has kvno \d+/);
    await kdc.administer([`ktadd -norandkey -k ${kdc.keytab} HTTP/localhost`]);
  });

  it('under a key of another password: export again, or the name is on another account', async () => {
    const env = await kdc.signIn('alice');
    const issued = await runChecked('kvno', ['HTTP/localhost'], { env });
    const version = Number(/kvno = (\d+)/.exec(issued)?.[1]);
    const text = await refusal(await keytabOf('password.keytab', 'HTTP/localhost@TEST.LOCAL', version), env);
    assert.match(text, /^export the key to .*password\.keytab again .*`setspn -Q HTTP\/localhost`/);
    assert.match(text, /the key is of another password, the service name is on another account/);
  });

  it('that the keytab has in another case, of the name or of the realm: both side by side', async () => {
    for (const [file, principal, version] of [
      ['name.keytab', 'HTTP/LOCALHOST@TEST.LOCAL', 4],
      ['realm.keytab', 'HTTP/localhost@test.local', 1],
    ] as const) {
      const text = await refusal(await keytabOf(file, principal, version));
      assert.match(text, /^export the key as HTTP\/localhost@TEST\.LOCAL, in exactly this case/);
      assert.ok(text.includes(`ticket is for HTTP/localhost@TEST.LOCAL, and ${kdc.file(file)} has ${principal}`), text);
    }
  });

  it('for a name that twelve keys are not for: the cure first, five names, and the line is not cut', async () => {
    const many = kdc.file('many.keytab');
    const names = Array.from({ length: 12 }, (_, index) => `HTTP/host-number-${index}.department.test.local`);
    await kdc.administer(names.flatMap((name) => [`addprinc -randkey ${name}`, `ktadd -k ${many} ${name}`]));
    const text = await refusal(many);
    assert.match(text, /^export a key for HTTP\/localhost@TEST\.LOCAL to .*many\.keytab \(MIT: `kadmin\.local ktadd /);
    assert.match(text, /host-number-4\.department\.test\.local@TEST\.LOCAL and 7 more\)$/);
  });

  it('of a type that krb5.conf does not permit: the type, and the setting', async () => {
    const config = kdc.env['KRB5_CONFIG'] ?? '';
    const env = { ...(await kdc.signIn('alice')), KRB5_CONFIG: kdc.file('client.conf') };
    const text = await readFile(config, 'utf8');
    await copyFile(config, env.KRB5_CONFIG);
    await runChecked('kvno', ['HTTP/localhost'], { env });
    try {
      await writeFile(
        config,
        text.replace('[libdefaults]', '[libdefaults]\n permitted_enctypes = aes256-cts-hmac-sha384-192'),
      );
      const why = await refusal(kdc.keytab, env);
      assert.match(why, /^add aes256-cts-hmac-sha1-96 to permitted_enctypes in krb5\.conf of this server/);
    } finally {
      await writeFile(config, text);
    }
  });

  it('NTLM where only tickets are verified: for which name the client has none', async () => {
    await using server = await start(kdc.keytab);
    const token = Buffer.from(
      '4e544c4d535350000100000007820008000000000000000000000000000000000000000000000000',
      'hex',
    );
    const authorization = ['-H', `Authorization: Negotiate ${token.toString('base64')}`];
    for (const [host, pattern] of [
      ['localhost', /^find out why the client could not get a ticket for HTTP\/localhost: the name is not registered/],
      ['127.0.0.1', /^open the site by its name: 127\.0\.0\.1 is an address/],
    ] as const) {
      const { status, text } = await server.ask(kdc.env, [...authorization, `http://${host}:${server.port}/`]);
      assert.equal(status, 401);
      assert.match(text, pattern);
    }
  });

  it('while its keytab is gone, is no keytab, and is back: one warning each, and the real cause first', async () => {
    const keytab = kdc.file('watched.keytab');
    await copyFile(kdc.keytab, keytab);
    await using server = await start(keytab);
    const env = await kdc.signIn('alice');
    for (const spoil of [() => rm(keytab), () => writeFile(keytab, 'junk')]) {
      server.warnings.length = 0;
      await spoil();
      for (let count = 0; count < 3; count++) {
        server.wait(2000);
        assert.equal((await server.ask(env)).status, 200, 'the old keys stay in use');
      }
      assert.equal(server.warnings.length, 1, server.warnings.join('\n'));
      assert.match(
        server.warnings[0] ?? '',
        /^sspi-auth: put a keytab back at .*watched\.keytab .*: it has changed and cannot be loaded .*after a restart nobody could sign in$/,
      );
      await copyFile(kdc.keytab, keytab);
      server.wait(2000);
      assert.equal((await server.ask(env)).status, 200);
    }
    // A new key that cannot be had: what keeps it out comes first.
    await rm(keytab);
    await kdc.administer(['cpw -randkey HTTP/localhost', `ktadd -norandkey -k ${kdc.keytab} HTTP/localhost`]);
    const { status, text } = await server.ask(await kdc.signIn('alice'));
    assert.equal(status, 401);
    assert.match(text, /^put a keytab back at .*; where the account's password was changed/);
  });

  it('never sends the reader to a wrong place: the cure is whole in every line', () => {
    assert.ok(texts.length >= 6);
    for (const text of texts) assert.ok(text.length < 1024 && text.includes(': '), text);
  });
});

describe('what a server in a process of its own says', ready, () => {
  const script = fileURLToPath(new URL('logged-server.ts', import.meta.url));
  let kdc: Kdc;
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
  });
  after(() => kdc.stop());

  const server = (
    keytab: string,
    { wrapper = [], env = {} }: { wrapper?: readonly string[]; env?: Readonly<Record<string, string>> },
  ): ReturnType<typeof startProcess> => {
    const words = [...wrapper, process.execPath, ...programWords(script), JSON.stringify({ keytab })];
    return startProcess(words[0] ?? '', words.slice(1), {
      env: { ...kdc.env, ...env },
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    });
  };

  for (const [shift, pattern] of [
    [
      '+12h',
      /^set the clock of this server, which is 12 hours ahead of the client's, by NTP .* ended at .* UTC and this server has .* UTC/,
    ],
    [
      '-12h',
      /^set the clock of this server, which is 12 hours behind the client's, by NTP .* begins at .* UTC and this server has/,
    ],
    ['+10m', /^set both by NTP .*: the client's clock is (?:59\d|60\d) seconds behind this server's$/],
  ] as const) {
    it(`whose clock is off by ${shift}: which clock, and what it has`, async () => {
      await using running = await server(kdc.keytab, { env: fakeTimeEnv(shift) });
      const [, port] = await running.waitForLine(/^port (\d+)/, 60_000);
      const { status } = await curl([...negotiate, `http://localhost:${port}/`], { env: await kdc.signIn('alice') });
      assert.equal(status, 401);
      const [line] = await running.waitForLine(/^\{.*"message":"sspi-auth: refused".*$/);
      const { diagnosis } = JSON.parse(line) as { diagnosis: string };
      assert.match(diagnosis, pattern);
    });
  }

  it('that may not read its keytab: who it is, and whose the file', async () => {
    const keytab = kdc.file('closed.keytab');
    await copyFile(kdc.keytab, keytab);
    await chmod(keytab, 0o600);
    await chmod(kdc.file('.'), 0o755);
    await using running = await server(keytab, {
      wrapper: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
    });
    const [line] = await running.waitForLine(/^failed .*$/, 60_000);
    assert.match(line, /EACCES.*this process runs as uid 65534, the file belongs to uid 0 and gid 0 and has mode 0600/);
  });
});
