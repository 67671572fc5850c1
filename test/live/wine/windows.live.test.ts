/**
 * The Windows build: the packed package in Express under Wine's secur32.dll, called by curl. First with Wine's secur32 as
 * it is, which judges but cannot say who the client is: every sign-in must then fail closed, for that reason and no other.
 * Then with the proxy DLL that adds names, tokens and impersonation.
 */
import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { curl } from '../../lab/curl.ts';
import type { CurlResult } from '../../lab/curl.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { listen } from '../../lab/ports.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { makeWineMachine, winePassword } from '../../lab/wine.ts';
import type { WineMachine, WineProcess } from '../../lab/wine.ts';
import { authenticateMessage, CURL_FLAGS, negotiateMessage } from '../../packages/ntlm/ntlm-client.ts';

const ready = await tier('wine', ['curl', 'krb5-kdc', 'krb5-admin-server', 'krb5-user']);

interface Counts {
  readonly credentials: number;
  readonly contexts: number;
  readonly buffers?: number;
  readonly tokens?: number;
  readonly impersonations?: number;
}
interface State {
  readonly platform: string;
  readonly records: readonly { readonly reason: string; readonly account?: string; readonly package?: string }[];
  readonly contract: Counts;
  readonly native: Counts;
  readonly shim: Counts | null;
}
interface WhoAmI {
  readonly user: {
    readonly name: string;
    readonly userName: string;
    readonly domain?: string;
    readonly sid?: string;
    readonly groups: readonly { readonly sid?: string; readonly name?: string; readonly denyOnly: boolean }[];
    readonly package: string;
  };
  readonly scheme: string;
  readonly package: string;
  readonly provider: string;
}

/** Each sign-in starts Samba's ntlm_auth: 1000 of each kind take two minutes on two idle cores. CI has them. */
const rounds = Number(process.env['SSPI_AUTH_SIGN_INS'] ?? (process.env['CI'] === 'true' ? 1000 : 100));

const alice = `LAB\\alice:${winePassword}`;
const application = fileURLToPath(new URL('application.ts', import.meta.url));

describe('the Windows build under Wine', ready, () => {
  let machine: WineMachine;
  let kdc: Kdc;
  let tickets: Readonly<Record<string, string>>;

  before(async () => {
    [machine, kdc] = await Promise.all([makeWineMachine(), startKdc()]);
    tickets = await kdc.signIn('alice');
    await copyFile(application, machine.application.file('application.ts'));
  });
  after(async () => {
    await machine[Symbol.asyncDispose]();
    await kdc.stop();
  });

  /** A running application. */
  class Application {
    readonly process: WineProcess;
    readonly port: number;
    constructor(process: WineProcess, port: number) {
      this.process = process;
      this.port = port;
    }

    static async start(shim: boolean, env: Readonly<Record<string, string>> = {}): Promise<Application> {
      const names = { SSPI_SHIM_KERBEROS_NAME: `${kdc.realm}\\alice` };
      const process = await machine.start('application.ts', { ...kdc.env, ...names, ...env }, shim);
      const [, port] = await process.waitForLine(/listening on (\d+) with v22/);
      return new Application(process, Number(port));
    }

    url(path: string): string {
      return `http://localhost:${this.port}/${path}`;
    }

    ntlm(path: string, credentials = alice): Promise<CurlResult> {
      return curl(['--ntlm', '-u', credentials, this.url(path)]);
    }

    negotiate(path: string): Promise<CurlResult> {
      return curl(['--negotiate', '-u', ':', this.url(path)], { env: tickets });
    }

    /** A request with an Authorization field of the test's own. */
    with(path: string, field: string): Promise<CurlResult> {
      return curl(['-H', `Authorization: ${field}`, this.url(path)]);
    }

    async state(path: 'state' | 'close' = 'state'): Promise<State> {
      return JSON.parse((await curl([this.url(path)])).body) as State;
    }

    /** What was logged since the last time, sign-ins and refusals. */
    async reasons(): Promise<string[]> {
      return (await this.state()).records.map(({ reason }) => reason);
    }
  }

  /** The token curl sends for HTTP/localhost, taken by a server that judges nothing: the KDC never sees it used. */
  async function curlsToken(): Promise<string> {
    let field = '';
    const server = createServer((request, response) => {
      field = request.headers.authorization ?? '';
      response.writeHead(field === '' ? 401 : 200, { 'WWW-Authenticate': 'Negotiate' }).end();
    });
    await using listening = await listen(server);
    await curl(['--negotiate', '-u', ':', `http://localhost:${listening.port}/`], { env: tickets });
    assert.match(field, /^Negotiate [A-Za-z0-9+/=]{500,}$/);
    return field.slice('Negotiate '.length);
  }

  function tampered(token: string): string {
    const bytes = Buffer.from(token, 'base64');
    const at = bytes.byteLength - 20;
    bytes[at] = bytes[at]! ^ 1;
    return bytes.toString('base64');
  }

  function assertNothingHeld({ contract, native, shim }: State, what = ''): void {
    assert.equal(contract.contexts, 0, what);
    assert.deepEqual({ ...native, credentials: 0 }, { credentials: 0, contexts: 0, tokens: 0, buffers: 0 }, what);
    if (shim !== null) {
      assert.deepEqual(
        { ...shim, credentials: 0 },
        { credentials: 0, contexts: 0, buffers: 0, impersonations: 0 },
        what,
      );
    }
  }

  /** Signs in and out of NTLM by hand, as often and as wrongly as a test wants it. */
  async function ntlmByHand(
    port: number,
    path: string,
    kind: 'right' | 'wrong' | 'abandoned',
    user = 'alice',
  ): Promise<number> {
    await using connection = await RawConnection.open(port);
    const negotiate = negotiateMessage(CURL_FLAGS);
    const field = (token: Uint8Array): string => `Authorization: NTLM ${Buffer.from(token).toString('base64')}`;
    const first = await connection.exchange({ target: `/${path}`, fields: [field(negotiate)] });
    const challenge = /^NTLM (.+)$/.exec(first.headers.get('www-authenticate')?.[0] ?? '')?.[1];
    assert.ok(challenge !== undefined, first.text);
    if (kind === 'abandoned') return first.status;
    const bytes = Buffer.from(challenge, 'base64');
    const { message } = authenticateMessage(negotiate, bytes, {
      userName: user,
      domain: 'LAB',
      password: kind === 'right' ? winePassword : 'wrong',
      // Samba wants its own target information back, every pair of it.
      avBytes: bytes.subarray(bytes.readUInt32LE(44), bytes.readUInt32LE(44) + bytes.readUInt16LE(40)),
    });
    const last = await connection.exchange({ target: `/${path}`, fields: [field(message)] });
    if (kind === 'right') assert.equal((JSON.parse(last.body) as WhoAmI).user.userName, user, last.text);
    return last.status;
  }

  describe("with Wine's secur32 as it is", () => {
    let app: Application;
    before(async () => {
      app = await Application.start(false);
    });
    after(() => app.process[Symbol.asyncDispose]());

    it('offers Negotiate and NTLM with no options at all', async () => {
      const { status, headers } = await curl([app.url('default')]);
      assert.equal(status, 401);
      assert.deepEqual(headers.get('www-authenticate'), ['Negotiate', 'NTLM']);
      assert.equal((await app.state()).platform, 'win32');
    });

    it('curl --ntlm: judges right and wrong, and lets nobody in who has no name (fail closed)', async () => {
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
        const token = await curlsToken();
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

    it('judges 24 sign-ins at once', async () => {
      await app.reasons();
      await Promise.all(
        Array.from({ length: 24 }, (_, index) => (index % 2 === 0 ? app.ntlm('ntlm') : app.negotiate('negotiate'))),
      );
      assert.deepEqual(await app.reasons(), new Array(24).fill('account-refused'));
      assertNothingHeld(await app.state());
    });

    it('frees its credentials when it is closed', async () => {
      const { contract, native } = await app.state('close');
      assert.equal(contract.credentials, 0);
      assert.deepEqual(native, { credentials: 0, contexts: 0, tokens: 0, buffers: 0 });
    });
  });

  describe('with the proxy DLL', () => {
    let app: Application;
    before(async () => {
      app = await Application.start(true);
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
      const { status, body } = await curl(['--anyauth', '-u', ':', app.url('default')], { env: tickets });
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
      const token = await curlsToken();
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
      for (const [kind, expected] of Object.entries(kinds) as ['right' | 'wrong' | 'abandoned', number][]) {
        let left = rounds;
        const one = async (): Promise<void> => {
          while (left-- > 0) assert.equal(await ntlmByHand(app.port, 'ntlm', kind), expected);
        };
        await Promise.all(Array.from({ length: 8 }, one));
        assertNothingHeld(await settled(app), kind);
      }
      const { shim, native } = await app.state();
      assert.deepEqual([shim?.credentials, native.credentials], [3, 3], 'one of each package, shared');
      const closed = await app.state('close');
      assert.deepEqual(closed.shim, { credentials: 0, contexts: 0, buffers: 0, impersonations: 0 });
      assert.deepEqual(closed.native, { credentials: 0, contexts: 0, tokens: 0, buffers: 0 });
    });
  });

  /** The state once the server has seen its connections close. */
  async function settled(app: Application): Promise<State> {
    for (let attempt = 0; ; attempt++) {
      const state = await app.state();
      if (state.contract.contexts === 0 || attempt === 50) return state;
    }
  }

  it("protects messages of Kerberos with a client on Wine's own InitializeSecurityContextW", async () => {
    const source = await readFile(new URL('messages.ts', import.meta.url), 'utf8');
    await writeFile(machine.application.file('messages.ts'), source.replaceAll('../../lab/', './'));
    await copyFile(new URL('../../lab/winpr.ts', import.meta.url), machine.application.file('winpr.ts'));
    await using process = await machine.start('messages.ts', tickets, false);
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
        native: { credentials: 0, contexts: 0, tokens: 0, buffers: 0 },
      },
    });
  });

  it('ends the process where the thread cannot be reverted', async () => {
    const app = await Application.start(true, { SSPI_SHIM_FAIL_REVERT: '1' });
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
