/**
 * What only Windows has, over a library that plays it: access tokens, names of SIDs, impersonation, slow domain
 * controllers. What Windows itself does is for test/windows to show.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sspiAuth } from '../../../adapters/node.ts';
import type { AuthenticatedRequest, Protect } from '../../../adapters/node.ts';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { inGroup } from '../../../src/index.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { asyncCallLimit } from '../../../src/native/native-calls.ts';
import { liveNativeHandles, secur32Packages } from '../../../src/native/secur32/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { avId, kerberosToken, ntlmLastMessage } from '../../lab/client-messages.ts';
import { listen } from '../../lab/ports.ts';
import type { ListeningServer } from '../../lab/ports.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import type { RawRequest, RawResponse } from '../../lab/raw-connection.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { addAccessTokens, buildScriptedSspi } from '../../lab/scripted-sspi.ts';
import type { ScriptedSspi } from '../../lab/scripted-sspi.ts';
import { tier } from '../../lab/tier.ts';
import { md5, utf16 } from '../../packages/ntlm/ntlm-client.ts';

const ready = await tier('winpr', ['gcc', 'libc6-dev']);

const alice = 'name=LAB\\alice token=good';
const withToken = (token: Uint8Array | string, scheme = 'NTLM'): RawRequest => ({
  fields: [`Authorization: ${scheme} ${Buffer.from(token).toString('base64')}`],
});

let folder: ScratchFolder;
let library: ScriptedSspi;

interface LogRecord {
  readonly reason: string;
  readonly account?: string;
  readonly diagnosis?: string;
}

/** Turns of the event loop until something is so; what comes after fails where it never is. */
async function turns(until: () => boolean): Promise<void> {
  for (let count = 0; count < 200_000 && !until(); count++) await turn();
  assert.ok(until());
}

/** A server over the library, and what it logged as refused. */
class Scene implements AsyncDisposable {
  readonly refusals: LogRecord[] = [];
  readonly #protect: Protect;
  #server: ListeningServer | undefined;

  private constructor(options: SspiAuthOptions<AuthenticatedRequest>) {
    const warn = (record: object): void => {
      if (Object.hasOwn(record, 'durationMilliseconds')) this.refusals.push(record as LogRecord);
    };
    this.#protect = sspiAuth({
      provider: 'secur32',
      library: library.path,
      logger: { info: () => undefined, warn, error: (record) => assert.fail(JSON.stringify(record)) },
      ...(options as object),
    });
  }

  /** @param answer what the handler answers, as JSON; without it the user */
  static async start(
    options: SspiAuthOptions<AuthenticatedRequest> = {},
    answer: (request: AuthenticatedRequest) => unknown = ({ user }) => user,
  ): Promise<Scene> {
    const scene = new Scene(options);
    const listener = scene.#protect((request, response) => response.end(JSON.stringify(answer(request) ?? null)));
    scene.#server = await listen(createServer(listener));
    return scene;
  }

  get pendingHandshakes(): number {
    return this.#protect.authenticator.pendingHandshakes;
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.#server?.port ?? 0);
  }

  /** One request over a connection of its own. */
  async once(request: RawRequest): Promise<RawResponse> {
    await using connection = await this.open();
    return await connection.exchange(request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    library.release();
    await this.#server?.close();
    this.#protect.close();
    await turns(() => liveNativeHandles().contexts === 0 && liveNativeHandles().credentials === 0);
  }
}

/** The names of the groups of a response. */
function groupsOf({ status, body }: RawResponse): { sid: string; name?: string }[] {
  assert.equal(status, 200, body);
  return (JSON.parse(body) as { groups: { sid: string; name?: string }[] }).groups;
}

before(async () => {
  if (ready.skip !== false) return;
  folder = await scratchFolder('scripted-windows');
  library = await buildScriptedSspi(folder, 'libscripted-windows.so');
  addAccessTokens(library);
});
after(async () => {
  if (ready.skip !== false) return;
  assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 });
  assert.deepEqual(library.counts(), {
    credentials: 0,
    contexts: 0,
    buffers: 0,
    wrong: 0,
    overlaps: 0,
    tokens: 0,
    certificates: 0,
  });
  await folder.remove();
});

describe('a slow domain controller', ready, () => {
  it('A21: last legs of NTLM that hang hold up no ticket, and those of clients that have gone never run', async () => {
    await using scene = await Scene.start();
    const hanging = await Promise.all(Array.from({ length: asyncCallLimit }, () => scene.open()));
    for (const connection of hanging) connection.send(withToken(ntlmLastMessage({}, `block=1 ${alice}`)));
    await turns(() => library.blocked() === asyncCallLimit - 1);
    // All threads of NTLM hang. Twenty clients come and go.
    const before = library.accepts();
    for (let client = 0; client < 20; client++) {
      const connection = await scene.open();
      connection.send(withToken(ntlmLastMessage({}, alice)));
      await turns(() => scene.pendingHandshakes > hanging.length);
      await connection[Symbol.asyncDispose]();
      await turns(() => scene.pendingHandshakes === hanging.length);
    }
    assert.equal((await scene.once(withToken(kerberosToken({}, alice), 'Negotiate'))).status, 200);
    assert.equal(library.accepts(), before + 1);
    let over = false;
    const releasing = (async () => {
      while (!over) {
        library.release();
        await turn();
      }
    })();
    for (const connection of hanging) assert.equal((await connection.response()).status, 200);
    over = true;
    await releasing;
    assert.equal(library.accepts(), before + 2, 'nobody called for those who had gone');
    for (const connection of hanging) await connection[Symbol.asyncDispose]();
  });

  it('A21: a proven user comes in without the names of groups, and gets them when they come', async () => {
    await using scene = await Scene.start({ authorize: (user, request) => request.url !== '/named' || named(user) });
    const named = inGroup('LAB\\looked-up');
    await using connection = await scene.open();
    const first = await connection.exchange(withToken(`${alice} group=3001`));
    assert.deepEqual(groupsOf(first), [{ sid: 'S-1-5-21-1-2-3-3001', attributes: 7, denyOnly: false }]);
    assert.equal(library.blocked(), 1);
    assert.equal(
      (await connection.exchange({ target: '/named' })).status,
      403,
      'a name that is not known grants nothing',
    );
    library.release();
    await turns(() => library.blocked() === 0 && liveNativeHandles().buffers === 0);
    assert.equal(groupsOf(await connection.exchange({}))[0]?.name, 'LAB\\looked-up');
    assert.equal((await connection.exchange({ target: '/named' })).status, 200);
    assert.deepEqual(
      scene.refusals.map(({ reason }) => reason),
      ['not-authorized'],
    );
  });

  it('does not have the names of a whole token asked for one by one', async () => {
    await using scene = await Scene.start();
    const before = library.lookups();
    const groups = groupsOf(await scene.once(withToken(`${alice} groups=300`)));
    assert.equal(groups.length, 300);
    assert.equal(groups[299]?.name, 'LAB\\group-10299');
    assert.equal(library.lookups(), before + 1);
    assert.equal(groupsOf(await scene.once(withToken(`${alice} groups=300`)))[299]?.name, 'LAB\\group-10299');
    assert.equal(library.lookups(), before + 1, 'remembered');
  });

  it('lets a user in whose groups have no names, or none that can be had', async () => {
    for (const group of [2001, 2003, 2004]) {
      await using scene = await Scene.start();
      const [found] = groupsOf(await scene.once(withToken(`${alice} group=${group}`)));
      assert.deepEqual(found, { sid: `S-1-5-21-1-2-3-${group}`, attributes: 7, denyOnly: false });
    }
  });
});

describe('Kerberos alone (G11)', ready, () => {
  it('is what Windows is told, and NTLM is refused before Windows sees it', async () => {
    await using scene = await Scene.start({ packages: ['Kerberos'] });
    const before = library.accepts();
    for (const token of [ntlmLastMessage({}, alice), Buffer.from('NTLMSSP\0\x01\0\0\0', 'latin1')]) {
      assert.equal((await scene.once(withToken(token, 'Negotiate'))).status, 401);
    }
    assert.equal(library.accepts(), before);
    const answer = await scene.once(withToken(kerberosToken({}, `${alice} ran=Kerberos`), 'Negotiate'));
    assert.equal(answer.status, 200);
    assert.equal(library.packageList(), '!ntlm');
    assert.deepEqual(
      scene.refusals.map(({ reason }) => reason),
      ['package-not-allowed', 'package-not-allowed'],
    );
  });

  it('is checked by the package itself as well', async () => {
    const authData = { packages: ['Kerberos'] };
    for (const [ran, expected] of [
      ['Kerberos', 'SEC_E_OK'],
      ['NTLM', 'SEC_E_LOGON_DENIED'],
    ] as const) {
      const { status, context } = await accept(Buffer.from(`${alice} ran=${ran}`), { name: 'Negotiate', authData });
      assert.equal(Sspi.statusName(status), expected);
      if (context !== undefined) Sspi.deleteSecurityContext(context);
    }
  });

  it('NTLM alone, or both, are lists of their own', async () => {
    for (const [packages, list] of [
      [['NTLM'], '!kerberos'],
      [['Kerberos', 'NTLM'], ''],
    ] as const) {
      const { context } = await accept(Buffer.from(`${alice} ran=NTLM`), { name: 'Negotiate', authData: { packages } });
      assert.equal(library.packageList(), list);
      Sspi.deleteSecurityContext(context!);
    }
  });
});

/** One leg of the contract over the library. */
async function accept(
  token: Uint8Array,
  { name = 'NTLM', authData, bindings, requirements = 0 }: AcceptOptions = {},
): Promise<Sspi.AcceptSecurityContextResult> {
  const owner = secur32Packages(library.path).find(({ info }) => info.name === name);
  assert.ok(owner);
  const credential = await Sspi.acquireCredentialsHandle({ package: owner, credentialUse: 'inbound', authData });
  try {
    return await Sspi.acceptSecurityContext({
      credential,
      context: undefined,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }, ...(bindings === undefined ? [] : [bindings])],
      requirements: Sspi.ASC_REQ_CONNECTION | requirements,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
  } finally {
    Sspi.freeCredentialsHandle(credential);
  }
}

interface AcceptOptions {
  readonly name?: string;
  readonly authData?: object;
  readonly bindings?: Sspi.SecBuffer;
  readonly requirements?: number;
}

describe('channel bindings', ready, () => {
  const applicationData = Buffer.from('tls-server-end-point:0123456789abcdef');
  const data = encodeChannelBindings(applicationData);
  const hash = md5(Buffer.alloc(16), Buffer.of(applicationData.byteLength, 0, 0, 0), applicationData);
  const ntlm = (value: Uint8Array, script: string): Uint8Array =>
    ntlmLastMessage({ pairs: [[avId.channelBindings, value]] }, script);

  for (const type of [14, 0x8000000e, 0x1000000e, 0xf000000e]) {
    it(`go to the library as the plain type, given as 0x${type.toString(16)}; its answer has room (C16)`, async () => {
      const result = await accept(Buffer.from(`${alice} result=11`), { bindings: { type, data } });
      assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
      const { input, output } = library.lastCall();
      assert.deepEqual(
        [input, output],
        [
          [2, 14],
          [2, 30],
        ],
      );
      assert.equal(result.output.find((buffer) => buffer.type === 30)?.data[0], 0x11);
      Sspi.deleteSecurityContext(result.context!);
    });
  }

  it('leave no room for an answer where there are none', async () => {
    const { context } = await accept(Buffer.from(alice));
    assert.deepEqual(library.lastCall().output, [2]);
    Sspi.deleteSecurityContext(context!);
  });

  it('of NTLM that do not fit are refused, whatever the library says (C16)', async () => {
    const bindings = { type: 14, data };
    for (const requirements of [0, Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS]) {
      for (const said of ['', ' result=11']) {
        const right = await accept(ntlm(hash, alice + said), { bindings, requirements });
        assert.equal(Sspi.statusName(right.status), 'SEC_E_OK');
        Sspi.deleteSecurityContext(right.context!);
        const wrong = await accept(ntlm(new Uint8Array(16).fill(1), alice + said), { bindings, requirements });
        assert.equal(Sspi.statusName(wrong.status), 'SEC_E_BAD_BINDINGS');
        assert.equal(wrong.context, undefined);
        assert.match(wrong.diagnosis?.text ?? '', /another TLS certificate/);
        assert.equal(wrong.diagnosis?.account, 'LAB\\alice');
      }
    }
  });

  it('that Windows refuses are explained by what it says of them', async () => {
    const bindings = { type: 14, data };
    const refused = 'status=80090346 result=';
    for (const [flags, expected] of [
      ['5', /another TLS certificate/],
      ['b', /sends no channel bindings/],
      ['0', /either /],
    ] as const) {
      const { diagnosis } = await accept(kerberosToken({}, refused + flags), { bindings });
      assert.match(diagnosis?.text ?? '', expected);
    }
  });
});

describe('servicePrincipalNames (C18)', ready, () => {
  const servicePrincipalNames = ['HTTP/web.lab.test'];
  const target = (name: string, script = alice): Uint8Array =>
    ntlmLastMessage({ pairs: [[avId.targetName, utf16(name)]] }, script);

  for (const [what, token, scheme, status] of [
    ['NTLM for this service, as its proof says', target('HTTP/web.lab.test'), 'NTLM', 200],
    ['NTLM for this service with a port', target('HTTP/web.lab.test:8080'), 'NTLM', 200],
    ['NTLM for another service', target('HTTP/other.lab.test'), 'NTLM', 401],
    ['NTLM for no service', ntlmLastMessage({}, alice), 'NTLM', 401],
    ['a ticket for this service', kerberosToken({}, alice), 'Negotiate', 200],
    ['a ticket for another service', kerberosToken({ service: ['HTTP', 'other'] }, alice), 'Negotiate', 401],
    ['a target that Windows tells', Buffer.from(`${alice} target=HTTP/web.lab.test@LAB.TEST`), 'Negotiate', 200],
    ['another target that Windows tells', Buffer.from(`${alice} target=HTTP/other@LAB.TEST`), 'Negotiate', 401],
    [
      'a target that Windows tells, before what the token says',
      target('HTTP/web.lab.test', `${alice} target=HTTP/other`),
      'NTLM',
      401,
    ],
  ] as const) {
    it(`without TLS, ${what}: ${status}`, async () => {
      await using scene = await Scene.start({ servicePrincipalNames });
      assert.equal((await scene.once(withToken(token, scheme))).status, status);
    });
  }
});

describe('a refusal', ready, () => {
  it('SEC_E_INVALID_HANDLE of a first leg is a token that is not valid', async () => {
    await using scene = await Scene.start();
    await scene.once(withToken('status=80090301'));
    await using connection = await scene.open();
    await connection.exchange(withToken('status=90312 out=hello'));
    await connection.exchange(withToken('status=80090301'));
    assert.deepEqual(
      scene.refusals.map(({ reason }) => reason),
      ['SEC_E_INVALID_TOKEN', 'SEC_E_INVALID_HANDLE'],
    );
  });

  it('says the service and the key of the ticket, and the account of this process', async () => {
    await using scene = await Scene.start();
    await scene.once(withToken(kerberosToken({}, 'status=80090308'), 'Negotiate'));
    const [record] = scene.refusals;
    assert.equal(record?.reason, 'SEC_E_INVALID_TOKEN');
    assert.match(
      record.diagnosis ?? '',
      /HTTP\/web\.lab\.test@LAB\.TEST \(aes256.*kvno 3\), and this process runs as LAB\\WEB1\$/,
    );
  });

  it('says the account that NTLM claimed', async () => {
    await using scene = await Scene.start();
    await scene.once(withToken(ntlmLastMessage({ userName: 'mallory' }, 'status=8009030c')));
    const [record] = scene.refusals;
    assert.deepEqual([record?.reason, record?.account], ['SEC_E_LOGON_DENIED', 'LAB\\mallory']);
    assert.match(record?.diagnosis ?? '', /event 4625/);
  });

  it('gives an error token to who asks for it, and only if the library made one', async () => {
    const requirements = Sspi.ASC_REQ_EXTENDED_ERROR;
    const tokens = async (script: string, more = 0): Promise<string[]> => {
      const { output } = await accept(Buffer.from(`status=8009030c ${script}`), { requirements: more });
      return output.map(({ data }) => Buffer.from(data).toString());
    };
    assert.deepEqual(await tokens('out=krb-error', requirements), ['krb-error']);
    assert.deepEqual(await tokens('out=krb-error'), []);
    assert.deepEqual(await tokens('', requirements), []);
    // The size of the whole room, as it was before the call.
    assert.deepEqual(await tokens('claim=4096', requirements), []);
    assert.deepEqual(await tokens('claim=5000', requirements), []);
  });

  it('is never asked for an error token over HTTP, where it is a bare 401', async () => {
    await using scene = await Scene.start();
    await scene.once(withToken(alice));
    assert.equal(library.lastCall().requirements & Sspi.ASC_REQ_EXTENDED_ERROR, 0);
  });
});

describe('an option that Windows has no setting for', ready, () => {
  it('ends the start: requireMic', () => {
    const options = { provider: 'secur32', library: library.path, requireMic: true } as const;
    assert.throws(() => sspiAuth(options), /"requireMic" is given.*Windows verifies NTLM itself/);
  });
});

describe('impersonation', ready, () => {
  const impersonate = ({ sspi }: AuthenticatedRequest): unknown => {
    try {
      return { acted: sspi?.impersonate(() => library.impersonating()), after: library.impersonating() };
    } catch (error) {
      return { error: (error as Error).message, after: library.impersonating() };
    }
  };

  it('acts as the client, and then as the server again', async () => {
    for (const level of [2, 3]) {
      await using scene = await Scene.start({}, impersonate);
      const { body } = await scene.once(withToken(`${alice} level=${level}`));
      assert.deepEqual(JSON.parse(body), { acted: true, after: false });
    }
  });

  it('G08: does not run with a token that only tells who the client is, and says which right is missing', async () => {
    await using scene = await Scene.start({}, impersonate);
    const { body } = await scene.once(withToken(`${alice} level=1`));
    const { error, after: acts } = JSON.parse(body) as { error: string; after: boolean };
    assert.match(error, /SeImpersonatePrivilege/);
    assert.equal(acts, false);
  });

  it('keeps the context as long as the connection, and none at all where it is switched off', async () => {
    for (const [impersonation, contexts] of [
      [undefined, 1],
      [true, 1],
      [false, 0],
    ] as const) {
      await using scene = await Scene.start({ ...(impersonation === undefined ? {} : { impersonation }) }, impersonate);
      await using connection = await scene.open();
      const { body } = await connection.exchange(withToken(`${alice} level=2`));
      assert.equal(liveNativeHandles().contexts, contexts);
      if (impersonation === false) assert.match(body, /option impersonation not set to false/);
      else assert.match(body, /"acted":true/);
      assert.equal((await connection.exchange({})).status, 200, 'still signed in');
    }
  });

  it('asks for delegation where it is required, and only there', async () => {
    for (const [requiredAttributes, asked, status] of [
      [0, 0, 200],
      // The context of the library has no such attribute.
      [Sspi.ASC_RET_DELEGATE, Sspi.ASC_REQ_DELEGATE, 401],
    ] as const) {
      await using scene = await Scene.start({ requiredAttributes });
      assert.equal((await scene.once(withToken(alice))).status, status);
      assert.equal(library.lastCall().requirements & Sspi.ASC_REQ_DELEGATE, asked);
    }
  });
});

describe('the expiry of a context', ready, () => {
  it("is read by the machine's time zone", async () => {
    await using scene = await Scene.start({}, ({ sspi }) => sspi?.expiry);
    const wall = BigInt(Date.parse('2099-07-01T12:00:00Z') + 11_644_473_600_000) * 10_000n;
    const { body } = await scene.once(withToken(`${alice} expiry=${wall.toString(16)}`));
    assert.equal(JSON.parse(body), '2099-07-01T10:00:00.000Z');
  });
});
