/** One token, presented again: to this process, to another one, and to the one after a restart. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { kerberosTime, keytabKey, openApRequest, sealApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { startProcess } from '../../lab/process.ts';
import { programOf } from '../../lab/program.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, useRealm } from './acceptor.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
];

/** A process with an acceptor in it, which verifies the tokens it is given. */
interface AnotherServer extends AsyncDisposable {
  verify(token: Uint8Array): Promise<string>;
}

async function startAnotherServer(kdc: Kdc, options: Readonly<Record<string, unknown>>): Promise<AnotherServer> {
  const program = programOf(new URL('acceptor.ts', import.meta.url));
  const source = `
    import { createInterface } from 'node:readline';
    import { acceptor } from ${JSON.stringify(program.url)};
    const server = await acceptor(JSON.parse(process.env.OPTIONS));
    console.log('ready');
    let number = 0;
    for await (const line of createInterface({ input: process.stdin })) {
      const { status, why } = await server.verify(Buffer.from(line, 'base64'));
      console.log('verified ' + ++number + ' ' + status + ' ' + why);
    }`;
  const words = [...program.options, '--input-type=module', '--eval', source];
  const env = { ...kdc.env, OPTIONS: JSON.stringify({ keytab: kdc.keytab, ...options }) };
  const child: RunningProcess = await startProcess(process.execPath, words, { env });
  await child.waitForLine(/^ready$/);
  let number = 0;
  return {
    async verify(token) {
      child.write(`${Buffer.from(token).toString('base64')}\n`);
      const [, said = ''] = await child.waitForLine(new RegExp(`^verified ${++number} (.*)$`));
      return said;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

for (const { name, library, options, ready } of gssapis)
  describe(`a token twice, with ${name}`, ready, () => {
    let kdc: Kdc;
    let env: Readonly<Record<string, string>>;
    before(async () => {
      kdc = await startKdc();
      useRealm(kdc);
      env = await kdc.signIn('alice');
    });
    after(() => kdc.stop());
    // Of a client of its own: MIT krb5 dates the second of one second a microsecond after the first, whatever the time.
    const newToken = async (): Promise<Buffer> => {
      await using client = await startGssClient(env);
      return await client.initiate();
    };

    it('D01: is accepted once in a process, whatever the credential', async () => {
      const token = await newToken();
      using first = await acceptor({ keytab: kdc.keytab, library });
      using second = await acceptor({ keytab: kdc.keytab, library });
      assert.equal((await first.verify(token)).status, 'SEC_E_OK');
      for (const server of [first, second]) {
        const replayed = await server.verify(token);
        assert.equal(replayed.status, 'SEC_E_LOGON_DENIED');
        assert.match(replayed.why, /used before/);
      }
    });

    it('D01: is accepted once in processes that run side by side, where they share a replay cache', async () => {
      await using other = await startAnotherServer(kdc, options);
      using server = await acceptor({ keytab: kdc.keytab, library });
      const token = await newToken();
      assert.equal((await server.verify(token)).status, 'SEC_E_OK');
      // Heimdal has no replay cache: this library keeps one, in its own process.
      assert.match(await other.verify(token), name === 'Heimdal' ? /^SEC_E_OK/ : /^SEC_E_LOGON_DENIED .*used before/);
    });

    it('D02: is not accepted after a restart, and new ones are at once', async () => {
      let token: Buffer;
      {
        await using first = await startAnotherServer(kdc, options);
        token = await newToken();
        assert.match(await first.verify(token), /^SEC_E_OK/);
      }
      await using second = await startAnotherServer(kdc, options);
      const why = name === 'Heimdal' ? /is older than what this server remembers/ : /used before/;
      const replayed = await second.verify(token);
      assert.match(replayed, /^SEC_E_LOGON_DENIED/);
      assert.match(replayed, why);
      assert.match(await second.verify(await newToken()), /^SEC_E_OK/);
      // Without a replay cache the same token passes: it is refused for nothing else.
      await using careless = await startAnotherServer(kdc, { ...options, replayCache: false });
      for (let time = 0; time < 2; time++) assert.match(await careless.verify(token), /^SEC_E_OK/);
    });

    it('D02: a client whose clock is behind has to wait, one whose clock is ahead has not', async () => {
      const key = keytabKey(kdc.keytab, 'HTTP/localhost');
      await using server = await startAnotherServer(kdc, options);
      const dated = async (seconds: number): Promise<string> => {
        const open = openApRequest(await newToken(), key);
        open.authenticator.set(5, kerberosTime(Date.now() + seconds * 1000));
        return server.verify(sealApRequest(open, key));
      };
      assert.match(await dated(-200), name === 'Heimdal' ? /^SEC_E_LOGON_DENIED .*is older/ : /^SEC_E_OK/);
      assert.match(await dated(200), /^SEC_E_OK/);
    });
  });
