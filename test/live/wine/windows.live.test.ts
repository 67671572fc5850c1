/**
 * The Windows build: the packed package in Express under Wine's secur32.dll, called by curl. First with Wine's secur32 as
 * it is, which verifies but cannot say who the client is: every sign-in must then fail closed, for that reason and no other.
 * Then with the proxy DLL that adds names, tokens and impersonation.
 */
import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { selfSigned } from '../../lab/certificates.ts';
import { curl } from '../../lab/curl.ts';
import { full } from '../../lab/matrix.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { winePassword } from '../../lab/wine.ts';
import { certificates } from '../../vectors/certificates.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage } from '../../packages/ntlm/ntlm-client.ts';
import { verificationKitSuite } from './verification-kit-suite.ts';
import {
  assertNothingHeld,
  ntlmByHand,
  ntlmOnce,
  settled,
  startWindowsNetwork,
  tampered,
} from './windows-application.ts';
import type { AttemptKind, Counts, WhoAmI, WindowsApplication, WindowsNetwork } from './windows-application.ts';

const ready = await tier('wine', ['curl', 'openssl', 'krb5-kdc', 'krb5-admin-server', 'krb5-user']);

/** Each sign-in starts Samba's ntlm_auth: 1000 of each kind take two minutes on two idle cores. */
const rounds = Number(process.env['SSPI_AUTH_SIGN_INS'] ?? (full() ? 1000 : 40));

describe('the Windows build under Wine', ready, () => {
  let network: WindowsNetwork;
  before(async () => {
    network = await startWindowsNetwork();
  });
  after(() => network.stop());

  describe("with Wine's secur32 as it is", () => {
    let app: WindowsApplication;
    before(async () => {
      app = await network.start('none');
    });
    after(() => app.process[Symbol.asyncDispose]());

    it('offers Negotiate and NTLM with no options at all', async () => {
      const { status, headers } = await curl([app.url('default')]);
      assert.equal(status, 401);
      assert.deepEqual(headers.get('www-authenticate'), ['Negotiate', 'NTLM']);
      assert.equal((await app.state()).platform, 'win32');
    });

    it('curl --ntlm: verifies right and wrong, and lets nobody in who has no name (fail closed)', async () => {
      await app.reasons();
      const right = await app.ntlm('ntlm');
      const wrong = await app.ntlm('ntlm', 'LAB\\alice:wrong');
      assert.deepEqual(await app.reasons(), ['account-refused', 'SEC_E_LOGON_DENIED']);
      assert.deepEqual([right.status, wrong.status], [401, 401]);
      assert.equal(right.body, wrong.body);
      assertNothingHeld(await app.state());
    });

    for (const path of ['negotiate', 'kerberosOnly']) {
      it(`curl --negotiate against an MIT KDC, ${path}: the ticket is good, the name is missing`, async () => {
        await app.reasons();
        assert.equal((await app.negotiate(path)).status, 401);
        assert.deepEqual(await app.reasons(), ['account-refused']);
        assertNothingHeld(await app.state());
      });
    }

    it('refuses a tampered and a replayed Kerberos token, packages Negotiate and Kerberos', async () => {
      for (const [path, scheme] of [
        ['negotiate', 'Negotiate'],
        ['kerberos', 'Kerberos'],
      ] as const) {
        const token = await network.curlsToken();
        await app.reasons();
        await app.with(path, `${scheme} ${tampered(token)}`);
        await app.with(path, `${scheme} ${token}`);
        await app.with(path, `${scheme} ${token}`);
        const [first, second, third] = await app.reasons();
        assert.match(first ?? '', /^SEC_E_/, `${scheme}: tampered`);
        assert.equal(second, 'account-refused', `${scheme}: as sent`);
        assert.match(third ?? '', /^SEC_E_/, `${scheme}: replayed`);
      }
      assertNothingHeld(await app.state());
    });

    it('of an account source lets in those accounts and none of its own', async () => {
      await app.reasons();
      const asked = await curl([app.url('listed')]);
      const offered = (asked.headers.get('www-authenticate') ?? []).map((challenge) => challenge.split(' ')[0]);
      assert.deepEqual(offered, ['NTLM', 'Digest', 'Digest']);
      const carol = await app.ntlm('listed', 'LAB\\carol:Carol-of-the-list-9');
      const { user, provider } = JSON.parse(carol.body) as WhoAmI;
      assert.deepEqual([user.name, provider], ['LAB\\carol', 'portable']);
      assert.equal((await app.ntlm('listed')).status, 401, 'alice is known to Windows and not to the list');
      assert.deepEqual(await app.reasons(), ['SEC_E_OK', 'SEC_E_LOGON_DENIED']);
    });

    it('verifies 24 sign-ins at once', async () => {
      await app.reasons();
      await Promise.all(
        Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? app.ntlm('ntlm') : app.negotiate('negotiate'))),
      );
      assert.deepEqual(await app.reasons(), new Array(24).fill('account-refused'));
      assertNothingHeld(await app.state());
    });

    it('says for a ticket that Windows refuses which service it is for and who this process is', async () => {
      await app.reasons();
      await app.with('negotiate', `Negotiate ${tampered(await network.curlsToken())}`);
      const [record] = (await app.state()).records;
      assert.match(record?.diagnosis ?? '', /the client's ticket is for HTTP\/localhost@\S+ \(aes\S+, kvno \d+\)/);
      assert.match(record?.diagnosis ?? '', /this process runs as \S+\\\S+, whose key has to open it/);
    });

    it('frees its credentials when it is closed', async () => {
      const { contract, native } = await app.state('close');
      assert.equal(contract.credentials, 0);
      assert.deepEqual(native, { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
    });
  });

  describe('with the proxy DLL', () => {
    let app: WindowsApplication;
    before(async () => {
      app = await network.start('system');
    });
    after(() => app.process[Symbol.asyncDispose]());

    it('curl --ntlm: name, domain, SID and groups of the right one, 401 for the wrong one', async () => {
      const { status, body } = await app.ntlm('ntlm');
      assert.equal(status, 200);
      const { user, scheme, package: ran, provider } = JSON.parse(body) as WhoAmI;
      assert.deepEqual({ scheme, ran, provider }, { scheme: 'NTLM', ran: 'NTLM', provider: 'secur32' });
      assert.equal(user.name, 'LAB\\alice');
      assert.equal(user.userName, 'alice');
      assert.equal(user.domain, 'LAB');
      assert.match(user.sid ?? '', /^S-1-5-21-[\d-]+$/);
      const group = (sid: string): object | undefined => user.groups.find((candidate) => candidate.sid === sid);
      assert.deepEqual(group('S-1-1-0'), { sid: 'S-1-1-0', name: 'Everyone', attributes: 7, denyOnly: false });
      assert.match(JSON.stringify(group('S-1-5-32-544')), /"name":"BUILTIN\\\\Administrators".*"denyOnly":true/);
      assert.equal((await app.ntlm('ntlm', 'LAB\\alice:wrong')).status, 401);
    });

    it('with no options: curl picks Negotiate, and Kerberos runs', async () => {
      const { status, body } = await curl(['--anyauth', '-u', ':', app.url('default')], { env: network.tickets });
      assert.equal(status, 200);
      const { user, package: ran } = JSON.parse(body) as WhoAmI;
      assert.equal(user.name, 'TEST.LOCAL\\alice');
      assert.equal(ran, 'Kerberos');
    });

    for (const path of ['negotiate', 'kerberosOnly']) {
      it(`curl --negotiate against an MIT KDC: ${path}`, async () => {
        const { status, body, responses } = await app.negotiate(path);
        assert.equal(status, 200);
        const { user, scheme, package: ran } = JSON.parse(body) as WhoAmI;
        assert.deepEqual(
          [user.name, user.package, scheme, ran],
          ['TEST.LOCAL\\alice', 'Kerberos', 'Negotiate', 'Kerberos'],
        );
        const token = responses.at(-1)?.headers.get('www-authenticate')?.[0];
        assert.match(token ?? '', /^Negotiate [A-Za-z0-9+/=]{20,}$/, 'the token that came with SEC_E_OK is sent');
      });
    }

    it('accepts what curl sends under the scheme Kerberos once, and never again', async () => {
      const token = await network.curlsToken();
      assert.equal((await app.with('kerberos', `Kerberos ${tampered(token)}`)).status, 401);
      const first = await app.with('kerberos', `Kerberos ${token}`);
      assert.equal(first.status, 200);
      assert.equal((JSON.parse(first.body) as WhoAmI).package, 'Kerberos');
      assert.equal((await app.with('kerberos', `Kerberos ${token}`)).status, 401);
      assert.equal((await app.with('negotiate', `Negotiate ${token}`)).status, 401, 'nor by another package');
    });

    it('refuses NTLM within Negotiate where only Kerberos may run (G11)', async () => {
      const negotiate = negotiateMessage(CURL_FLAGS);
      const { status } = await app.with('kerberosOnly', `Negotiate ${Buffer.from(negotiate).toString('base64')}`);
      assert.equal(status, 401);
      await using connection = await RawConnection.open(app.port);
      const field = (token: Uint8Array): string => `Authorization: Negotiate ${Buffer.from(token).toString('base64')}`;
      const first = await connection.exchange({ target: '/kerberosOnly', fields: [field(negotiate)] });
      const challenge = /^Negotiate (.+)$/.exec(first.headers.get('www-authenticate')?.[0] ?? '')?.[1];
      if (challenge === undefined) return;
      const { message } = authenticateMessage(negotiate, Buffer.from(challenge, 'base64'), {
        userName: 'alice',
        domain: 'LAB',
        password: winePassword,
      });
      assert.equal((await connection.exchange({ target: '/kerberosOnly', fields: [field(message)] })).status, 401);
    });

    it('goes by the service of the ticket, which nothing else tells without TLS (C18)', async () => {
      assert.equal((await app.negotiate('named')).status, 200);
    });

    it('keeps no context of a connection where impersonation is switched off', async () => {
      await using connection = await RawConnection.open(app.port);
      assert.equal(await ntlmByHand(connection, 'freed', 'right'), 200);
      assert.deepEqual((await app.state()).native, { ...(await app.state()).native, contexts: 0 });
      assert.equal((await connection.exchange({ target: '/freed' })).status, 200);
    });

    it('signs 24 clients in at once, each as itself', async () => {
      const names = await Promise.all(
        Array.from({ length: 24 }, async (_, index) => {
          const answer =
            index % 3 === 0
              ? await app.negotiate('negotiate')
              : await app.ntlm('ntlm', `LAB\\user${index}:${winePassword}`);
          assert.equal(answer.status, 200);
          return (JSON.parse(answer.body) as WhoAmI).user.userName;
        }),
      );
      assert.deepEqual(
        names,
        Array.from({ length: 24 }, (_, index) => (index % 3 === 0 ? 'alice' : `user${index}`)),
      );
    });

    it('impersonates and reverts in balance, whatever the function does', async () => {
      const { status, body } = await app.ntlm('impersonate');
      assert.equal(status, 200);
      const refused = { code: 'ERR_SSPI_AUTH_IMPERSONATION' };
      const { inside, after: balance, ...rest } = JSON.parse(body) as Record<string, unknown>;
      assert.equal((inside as { returned: Counts }).returned.impersonations, 1);
      assert.equal((balance as Counts).impersonations, 0);
      assert.deepEqual(rest, { throwing: { code: 'FROM_INSIDE' }, promise: refused, async: refused, nested: refused });
    });

    it(`holds nothing after ${rounds} sign-ins, ${rounds} abandoned and ${rounds} failed ones (A17)`, async () => {
      const kinds = { right: 200, wrong: 401, abandoned: 401 } as const;
      for (const [kind, expected] of Object.entries(kinds) as [AttemptKind, number][]) {
        let left = rounds;
        const one = async (): Promise<void> => {
          while (left-- > 0) assert.equal(await ntlmOnce(app.port, 'ntlm', kind), expected);
        };
        await Promise.all(Array.from({ length: 8 }, one));
        assertNothingHeld(await settled(app), kind);
      }
      const { shim, native } = await app.state();
      assert.deepEqual(
        [shim?.credentials, native.credentials],
        [4, 4],
        'one of each package, shared, and one of Negotiate without NTLM',
      );
      const closed = await app.state('close');
      assert.deepEqual(closed.shim, { credentials: 0, contexts: 0, buffers: 0, impersonations: 0 });
      assert.deepEqual(closed.native, { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
    });
  });

  it("protects messages of Kerberos with a client on Wine's own InitializeSecurityContextW", async () => {
    const source = await readFile(new URL('messages.ts', import.meta.url), 'utf8');
    await writeFile(network.machine.application.file('messages.ts'), source.replaceAll('../../lab/', './'));
    await copyFile(new URL('../../lab/winpr.ts', import.meta.url), network.machine.application.file('winpr.ts'));
    await using process = await network.machine.start('messages.ts', network.tickets, 'none');
    const [line] = await process.waitForLine(/^\{.*\}$/m);
    assert.deepEqual(JSON.parse(line), {
      integrity: true,
      maxSignature: 37,
      package: 'Kerberos',
      clientVerifies: true,
      serverVerifies: 'SEC_E_OK',
      altered: 'SEC_E_MESSAGE_ALTERED',
      hidden: true,
      serverReads: 'a message of the client',
      alteredSecret: true,
      held: {
        contract: { credentials: 0, contexts: 0 },
        native: { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 },
      },
    });
  });

  it("Wine's own Schannel is a client of this library's, and Wine takes the credential of a server", async () => {
    const { application } = network.machine;
    await copyFile(new URL('schannel.ts', import.meta.url), application.file('schannel.ts'));
    // Wine 8 has no tls-server-end-point for a certificate that was signed with ECDSA.
    const { cert, key } = await selfSigned();
    await writeFile(application.file('certificates.json'), JSON.stringify({ cert, key, pfx: certificates.pfx }));
    await using process = await network.machine.start('schannel.ts', {}, 'none');
    const [line] = await process.waitForLine(/^\{.*\}$/m);
    assert.deepEqual(JSON.parse(line), {
      server: ['SEC_I_CONTINUE_NEEDED', 'SEC_E_OK'],
      client: 'SEC_E_OK',
      // tls-unique and tls-server-end-point, with the header of SEC_CHANNEL_BINDINGS.
      sameBindings: [true, true],
      serverReads: 'from Wine',
      clientReads: 'to Wine',
      closed: 'SEC_I_CONTEXT_EXPIRED',
      wrongPassphrase: true,
      holds: [1, 2],
      // Wine 8 has no server's side of Schannel.
      wineAccepts: 'SEC_E_UNSUPPORTED_FUNCTION',
      held: {
        contract: { credentials: 0, contexts: 0 },
        native: { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 },
      },
    });
  });

  it('does not run a function with a token that only tells who the client is', async () => {
    const app = await network.start('system', { SSPI_SHIM_IDENTIFY: '1' });
    const { body } = await app.ntlm('read');
    const { message, after: counts } = JSON.parse(body) as { message: string; after: Counts };
    assert.match(message, /not act as it.*SeImpersonatePrivilege/);
    assert.equal(counts.impersonations, 0);
    await app.process[Symbol.asyncDispose]();
  });

  verificationKitSuite(() => network);

  it('loads secur32.dll of the system, and not one that somebody put beside node.exe', async () => {
    const app = await network.start('beside node.exe');
    // Wine's own gives no names, so nobody gets in. The other one would give one.
    assert.equal((await app.ntlm('ntlm')).status, 401);
    const { shim, native } = await app.state();
    assert.deepEqual([shim, native.credentials > 0], [null, true]);
    await app.process[Symbol.asyncDispose]();
  });

  it('ends the process where the thread cannot be reverted', async () => {
    const app = await network.start('system', { SSPI_SHIM_FAIL_REVERT: '1' });
    const { exitCode, responses } = await app.ntlm('impersonate');
    assert.notEqual(exitCode, 0);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [401],
      'the challenge, and no answer to what the client proved',
    );
    assert.notEqual(await app.process.ended, 0);
    assert.match(await app.process.output(), /RevertSecurityContext failed \(SEC_E_INTERNAL_ERROR\): the process ends/);
  });
});
