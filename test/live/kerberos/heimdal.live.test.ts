/** What is Heimdal's alone: what its acceptor leaves to this library, and that MIT krb5 runs beside it. */
import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { OptionError, SspiAuthError } from '../../../src/foundation/errors.ts';
import { decodePac, PAC_SERVER_CHECKSUM } from '../../../src/formats/kerberos/pac.ts';
import { detectKerberos } from '../../../src/native/gssapi/index.ts';
import { liveHandles } from '../../../src/sspi/index.ts';
import {
  keytabKey,
  openApRequest,
  pacAuthorizationData,
  pacOf,
  principalName,
  sealApRequest,
} from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { startProcess } from '../../lab/process.ts';
import { programOf } from '../../lab/program.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, useRealm } from './acceptor.ts';

const ready = await tier('heimdal', ['python3-gssapi']);
const { library } = heimdal;

describe('Heimdal', ready, () => {
  let kdc: Kdc;
  let client: GssClient;
  let key: Buffer;
  before(async () => {
    kdc = await startKdc();
    useRealm(kdc);
    client = await startGssClient(await kdc.signIn('alice'));
    key = keytabKey(kdc.keytab, 'HTTP/localhost');
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await kdc.stop();
    assert.equal(liveHandles().contexts, 0);
  });
  const forged = async (alter: (open: OpenApRequest) => void): Promise<Buffer> => {
    const open = openApRequest(await client.initiate(), key);
    alter(open);
    return sealApRequest(open, key);
  };

  it('and MIT krb5 verify in one process, each its own tokens', async () => {
    using mits = await acceptor({ keytab: kdc.keytab });
    using heimdals = await acceptor({ keytab: kdc.keytab, library });
    using heimdalsLater = await acceptor({ keytab: kdc.keytab, library, asynchronous: true });
    const servers = [mits, heimdals, heimdalsLater];
    const verified = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => servers[index % 3]!.verify(await client.initiate())),
    );
    assert.deepEqual([...new Set(verified.map(({ status }) => status))], ['SEC_E_OK']);
  });

  it('is told by its symbols, and a library that is no GSSAPI is refused', async () => {
    using named = await acceptor({ keytab: kdc.keytab, library });
    assert.equal((await named.verify(await client.initiate())).status, 'SEC_E_OK');
    const [path] = /\/\S*libgssapi\.so\.3\S*/.exec(await readFile('/proc/self/maps', 'utf8')) ?? [];
    assert.ok(path !== undefined);
    const misnamed = kdc.file('libgssapi_krb5.so.2');
    await copyFile(path, misnamed);
    using server = await acceptor({ keytab: kdc.keytab, library: misnamed });
    assert.equal((await server.verify(await client.initiate())).token?.userName, 'alice');
    await assert.rejects(acceptor({ keytab: kdc.keytab, library: 'libm.so.6' }), (error: unknown) => {
      assert.ok(error instanceof SspiAuthError, String(error));
      assert.match(error.message, /libm\.so\.6 .*\(this is neither the GSSAPI of MIT krb5 nor that of Heimdal/);
      return true;
    });
    assert.equal(detectKerberos(library).available, true);
  });

  it('a replay cache of MIT krb5 is refused at start, with the cure', async () => {
    for (const replayCache of ['dfl:', `file2:${kdc.file('replay')}`]) {
      await assert.rejects(acceptor({ keytab: kdc.keytab, library, replayCache }), (error: unknown) => {
        assert.ok(error instanceof OptionError, String(error));
        assert.equal(error.option, 'authData.replayCache');
        assert.match(error.message, /Heimdal, which has none.*Use true .*libgssapi-krb5-2/);
        return true;
      });
    }
    for (const replayCache of ['none:', true, false]) {
      using server = await acceptor({ keytab: kdc.keytab, library, replayCache });
      assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
    }
  });

  it('D01: of one token verified many times at once, one is taken', async () => {
    using server = await acceptor({ keytab: kdc.keytab, library, asynchronous: true });
    const token = await client.initiate();
    const verified = await Promise.all(Array.from({ length: 20 }, () => server.verify(token)));
    assert.equal(verified.filter(({ status }) => status === 'SEC_E_OK').length, 1);
    assert.equal(verified.filter(({ why }) => /used before/.test(why)).length, 19);
  });

  it('D01: what of a replayed token is in the clear may be altered: it is one all the same', async () => {
    using server = await acceptor({ keytab: kdc.keytab, library });
    const open = openApRequest(await client.initiate(), key);
    const token = sealApRequest(open, key);
    assert.equal((await server.verify(token)).status, 'SEC_E_OK');
    // Sealed anew, the authenticator is another one and this is no replay; the control that the test can fail.
    assert.equal((await server.verify(sealApRequest(open, key))).status, 'SEC_E_OK');
    let taken = 0;
    for (let at = 0; at < token.byteLength; at++) {
      const altered = Buffer.from(token);
      altered[at]! ^= 0x01;
      if ((await server.verify(altered)).status === 'SEC_E_OK') taken++;
    }
    assert.equal(taken, 0);
  });

  it('D18: names come as MIT krb5 writes them', async () => {
    using server = await acceptor({ keytab: kdc.keytab, library });
    using mits = await acceptor({ keytab: kdc.keytab });
    for (const name of ['al ice', 'al\\ice', 'host/admin', 'alice@OTHER.TEST', 'josé', 'a\\ b', ' ', 'a\\']) {
      const token = (): Promise<Buffer> =>
        forged((open) => {
          open.encTicket.set(3, principalName(1, name));
          open.authenticator.set(2, principalName(1, name));
          open.encTicket.delete(10);
        });
      const [own, other] = [await server.verify(await token()), await mits.verify(await token())];
      assert.deepEqual(own.token, other.token, JSON.stringify(name));
      assert.ok(own.token !== undefined, own.why);
    }
  });

  it('D13: a PAC that does not verify is refused, also where krb5.conf has Heimdal look away', async () => {
    const altered = await forged((open) => {
      const pac = pacOf(open.encTicket.get(10)!);
      pac[decodePac(pac).find(({ type }) => type === PAC_SERVER_CHECKSUM)!.offset + 4]! ^= 1;
      open.encTicket.set(10, pacAuthorizationData(pac));
    });
    const sound = await client.initiate();
    const config = kdc.file('unchecked.conf');
    const own = await readFile(kdc.env['KRB5_CONFIG'] ?? '', 'utf8');
    await writeFile(config, own.replace('[libdefaults]', '[libdefaults]\n check_pac = false'));
    const program = programOf(new URL('acceptor.ts', import.meta.url));
    const source = `
      import { acceptor } from ${JSON.stringify(program.url)};
      // Tokens older than the process are none that its replay cache takes.
      const server = await acceptor({ keytab: process.env.KEYTAB, library: process.env.LIBRARY, replayCache: false });
      for (const token of process.env.TOKENS.split(' ')) {
        const { status, why } = await server.verify(Buffer.from(token, 'base64'));
        console.log('verified ' + status + ' ' + why);
      }
      console.log('done');`;
    const verify = async (file: string): Promise<readonly string[]> => {
      const TOKENS = [sound, altered].map((token) => token.toString('base64')).join(' ');
      const env = { ...kdc.env, KRB5_CONFIG: file, KEYTAB: kdc.keytab, LIBRARY: library ?? '', TOKENS };
      const words = [...program.options, '--input-type=module', '--eval', source];
      await using child = await startProcess(process.execPath, words, { env });
      const [first = ''] = await child.waitForLine(/^verified .*$/);
      const [second = ''] = await child.waitForLine(/^verified (?!SEC_E_OK).*$/);
      await child.waitForLine(/^done$/);
      return [first, second];
    };
    const checked = await verify(kdc.env['KRB5_CONFIG'] ?? '');
    assert.match(checked[0] ?? '', /^verified SEC_E_OK/);
    assert.doesNotMatch(checked[1] ?? '', /does not verify with the key of the service/);
    const unchecked = await verify(config);
    assert.match(unchecked[0] ?? '', /^verified SEC_E_OK/);
    assert.match(unchecked[1] ?? '', /SEC_E_LOGON_DENIED the PAC in the ticket of alice@TEST\.LOCAL does not verify/);
  });
});
