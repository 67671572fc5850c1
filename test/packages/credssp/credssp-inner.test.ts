/** What CredSSP does with the answers of the packages inside, whatever they are: scripted ones give them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { credsspPackage } from '../../../src/packages/credssp/index.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type { AcceptCall, AcceptReply, PackageContext, SecurityPackage } from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { passwordCredentials, tsCredentials } from './credssp-client.ts';
import { ALL, alice, credsspAuthData, CredSspServer } from './credssp-server.ts';
import type { Answered, CredSspConnection } from './credssp-server.ts';

const SEAL = Buffer.from('seal');
const sealed = (data: Uint8Array): Buffer => Buffer.concat([SEAL, data]);
const token = (data: Uint8Array): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_TOKEN, data });

/** What the scripted package did. */
interface Journal {
  readonly calls: AcceptCall[];
  readonly opened: Uint8Array[];
  deleted: number;
}

/** What it is to answer. */
interface Script {
  readonly reply?: Partial<AcceptReply>;
  readonly token?: Partial<Sspi.SecurityContextToken> | 'none';
  readonly context?: Partial<PackageContext> | 'none';
}

/** Negotiate that verifies whoever comes, and seals with four letters. */
function scriptedNegotiate(script: Script, journal: Journal): SecurityPackage {
  const account = { userName: 'alice', domain: 'LAB', groups: [], isAnonymous: false, isGuest: false };
  const accept = (call: AcceptCall): AcceptReply => {
    journal.calls.push(call);
    const context: PackageContext = {
      accept,
      queryAttribute: () => ({ status: Sspi.SEC_E_UNSUPPORTED_FUNCTION }),
      queryToken: () =>
        script.token === 'none'
          ? { status: Sspi.SEC_E_NO_IMPERSONATION }
          : { status: Sspi.SEC_E_OK, value: { ...account, ...script.token } },
      impersonate: () => 0x1234,
      revert: () => 0x4321,
      encryptMessage: ([message]) => ({
        status: Sspi.SEC_E_OK,
        value: [token(SEAL), { type: Sspi.SECBUFFER_DATA, data: message!.data }],
      }),
      decryptMessage([message]) {
        assert.equal(message?.type, Sspi.SECBUFFER_STREAM);
        // In two pieces, as a package may give it.
        const clear = [message.data.slice(4, 10), message.data.slice(10)];
        journal.opened.push(...clear);
        return { status: Sspi.SEC_E_OK, value: clear.map((data) => ({ type: Sspi.SECBUFFER_DATA, data })) };
      },
      delete() {
        journal.deleted++;
      },
      ...(script.context === 'none' ? undefined : script.context),
    };
    return {
      status: Sspi.SEC_E_OK,
      ...(script.context === 'none' ? undefined : { context }),
      attributes: 0,
      ...script.reply,
    };
  };
  const credential = { accept, free: () => undefined };
  return { info: negotiatePackage.info, acquireCredentials: () => credential };
}

interface Scripted extends Disposable {
  readonly connection: CredSspConnection;
  readonly journal: Journal;
}

async function connected(script: Script): Promise<Scripted> {
  const journal: Journal = { calls: [], opened: [], deleted: 0 };
  const server = await CredSspServer.start(
    credsspAuthData({ negotiate: { package: scriptedNegotiate(script, journal) } }),
  );
  const connection = server.connect();
  await connection.secure();
  return {
    connection,
    journal,
    [Symbol.dispose]() {
      connection[Symbol.dispose]();
      server[Symbol.dispose]();
    },
  };
}

const proof = ({ client }: CredSspConnection): Partial<TsRequest> => ({
  pubKeyAuth: sealed(client.binding()),
  clientNonce: client.nonce,
});

async function signIn({ connection }: Scripted, credentials = passwordCredentials(alice)): Promise<Answered> {
  await connection.say(connection.client.first());
  await connection.say(proof(connection));
  return await connection.say({ authInfo: sealed(credentials) });
}

describe('CredSSP over scripted packages', () => {
  it('asks Negotiate for sealing and for nothing else', async () => {
    using scripted = await connected({});
    await signIn(scripted);
    const [call] = scripted.journal.calls;
    const wanted =
      Sspi.ASC_REQ_CONFIDENTIALITY |
      Sspi.ASC_REQ_INTEGRITY |
      Sspi.ASC_REQ_REPLAY_DETECT |
      Sspi.ASC_REQ_SEQUENCE_DETECT |
      Sspi.ASC_REQ_EXTENDED_ERROR;
    assert.equal(call?.requirements, wanted);
    assert.deepEqual(
      call.input.map(({ type }) => type),
      [Sspi.SECBUFFER_TOKEN],
    );
  });

  it('G04: overwrites what it opened', async () => {
    using scripted = await connected({});
    const { status } = await signIn(scripted);
    assert.equal(status, 'SEC_E_OK');
    assert.ok(scripted.journal.opened.length >= 4);
    const credentials = scripted.journal.opened.slice(-2);
    for (const piece of credentials) assert.ok(piece.byteLength > 0 && piece.every((byte) => byte === 0));
  });

  it('G04: and where it refuses it', async () => {
    const utf16 = Buffer.from('secret', 'utf16le');
    for (const credentials of [
      tsCredentials(2, [utf16]),
      Buffer.from('no DER at all'),
      passwordCredentials({ ...alice, userName: 'bob' }),
    ]) {
      using scripted = await connected({ context: { decryptMessage: whole } });
      const opened: Uint8Array[] = [];
      function whole([message]: readonly Sspi.SecBuffer[]): Sspi.MessageAnswer {
        const data = message!.data.slice(4);
        opened.push(data);
        return { status: Sspi.SEC_E_OK, value: [{ type: Sspi.SECBUFFER_DATA, data }] };
      }
      assert.notEqual((await signIn(scripted, credentials)).status, 'SEC_E_OK');
      assert.equal(opened.length, 2);
      assert.ok(opened[1]!.every((byte) => byte === 0));
      assert.equal(scripted.journal.deleted, 1);
    }
  });

  for (const [name, output, wanted] of [
    ['no token', undefined, undefined],
    ['a token of no bytes', [token(new Uint8Array(0))], undefined],
    ['a token', [token(Buffer.from('AP-REP'))], 'AP-REP'],
  ] as const) {
    it(`SEC_E_OK with ${name}`, async () => {
      using scripted = await connected({ reply: { output } });
      const { status, answer } = await scripted.connection.say(scripted.connection.client.first());
      assert.equal(status, 'SEC_I_CONTINUE_NEEDED');
      assert.equal(answer?.negoToken && Buffer.from(answer.negoToken).toString(), wanted);
    });
  }

  it('passes on what is said of the client, and nothing else', async () => {
    using scripted = await connected({ reply: { attributes: 0xffffffff, expiry: new Date(5) } });
    const { result } = await signIn(scripted);
    const wanted =
      Sspi.ASC_RET_MUTUAL_AUTH |
      Sspi.ASC_RET_IDENTIFY |
      Sspi.ASC_RET_NULL_SESSION |
      Sspi.ASC_RET_CONFIDENTIALITY |
      Sspi.ASC_RET_INTEGRITY |
      Sspi.ASC_RET_REPLAY_DETECT |
      Sspi.ASC_RET_SEQUENCE_DETECT |
      Sspi.ASC_RET_STREAM |
      Sspi.ASC_RET_EXTENDED_ERROR |
      Sspi.ASC_RET_DELEGATE;
    assert.equal(result.attributes, wanted >>> 0);
    assert.equal(result.expiry?.getTime(), 5);
    assert.equal(Sspi.impersonateSecurityContext(result.context!), 0x1234);
    assert.equal(Sspi.revertSecurityContext(result.context!), 0x4321);
  });

  it('without functions of the package inside there are none', async () => {
    using scripted = await connected({ context: { impersonate: undefined, revert: undefined } as never });
    const { result } = await signIn(scripted);
    assert.equal(Sspi.impersonateSecurityContext(result.context!), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.revertSecurityContext(result.context!), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
    assert.equal(Sspi.makeSignature(result.context!, []).status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
  });

  for (const [status, wanted] of [
    [Sspi.SEC_I_COMPLETE_NEEDED, 'SEC_E_INTERNAL_ERROR'],
    [Sspi.SEC_E_INCOMPLETE_MESSAGE, 'SEC_E_INTERNAL_ERROR'],
    [Sspi.SEC_E_TIME_SKEW, 'SEC_E_TIME_SKEW'],
    [0x00090999, '0x00090999'],
  ] as const) {
    it(`G07: ${Sspi.statusName(status)} of Negotiate is ${wanted}, and its context goes`, async () => {
      using scripted = await connected({ reply: { status } });
      const { status: given, result } = await scripted.connection.say(scripted.connection.client.first());
      assert.equal(given, wanted);
      assert.equal(result.context, undefined);
      assert.equal(scripted.journal.deleted, 1);
    });
  }

  it('SEC_E_OK without a context proves nothing', async () => {
    using scripted = await connected({ context: 'none' });
    const { connection } = scripted;
    await connection.say(connection.client.first());
    assert.equal((await connection.say(proof(connection))).status, 'SEC_E_MESSAGE_ALTERED');
  });

  it('a package that cannot seal the answer is an error', async () => {
    using scripted = await connected({ context: { encryptMessage: () => ({ status: Sspi.SEC_E_INTERNAL_ERROR }) } });
    const { connection } = scripted;
    await connection.say(connection.client.first());
    assert.equal((await connection.say(proof(connection))).status, 'SEC_E_INTERNAL_ERROR');
  });

  it('a client without an account, and an anonymous one, are refused', async () => {
    for (const account of ['none', { isAnonymous: true }] as const) {
      using scripted = await connected({ token: account });
      assert.equal((await signIn(scripted)).status, 'SEC_E_LOGON_DENIED');
    }
  });

  it('an exception inside is an error, and everything goes', async () => {
    using scripted = await connected({
      context: {
        decryptMessage: () => {
          throw new Error('inside');
        },
      },
    });
    const { connection } = scripted;
    await connection.say(connection.client.first());
    const { status, result } = await connection.say(proof(connection));
    assert.equal(status, 'SEC_E_INTERNAL_ERROR');
    assert.equal(result.context, undefined);
    assert.equal(scripted.journal.deleted, 1);
  });

  describe('Schannel inside', () => {
    /** Schannel whose context is counted, or does as it is told. */
    const scriptedSchannel = (
      change: (reply: AcceptReply) => AcceptReply,
      journal: { readonly calls: AcceptCall[]; deleted: number },
    ): SecurityPackage => ({
      info: schannelPackage.info,
      async acquireCredentials(parameters) {
        const credential = await schannelPackage.acquireCredentials(parameters);
        return {
          async accept(call) {
            journal.calls.push(call);
            const reply = await credential.accept(call);
            const { context } = reply;
            if (context === undefined) return reply;
            const remove = context.delete.bind(context);
            context.delete = (): void => {
              journal.deleted++;
              remove();
            };
            return change(reply);
          },
          free: () => credential.free(),
        };
      },
    });
    const acquire = async (schannel: SecurityPackage): Promise<Sspi.CredentialHandle> =>
      await Sspi.acquireCredentialsHandle({
        package: credsspPackage,
        credentialUse: 'inbound',
        authData: credsspAuthData({ schannel: { package: schannel, authData: certificates.server } }),
      });
    const firstLeg = async (
      change: (reply: AcceptReply) => AcceptReply,
      requirements = ALL,
    ): Promise<{ readonly status: string; readonly deleted: number; readonly call: AcceptCall }> => {
      const journal = { calls: [] as AcceptCall[], deleted: 0 };
      const credential = await acquire(scriptedSchannel(change, journal));
      using server = await CredSspServer.start();
      using connection = server.connect();
      const input = [{ type: Sspi.SECBUFFER_TOKEN, data: await connection.client.tls.next() }];
      const result = await Sspi.acceptSecurityContext({
        ...{ credential, context: undefined, input, requirements, targetDataRep: 0 },
      });
      const { deleted } = journal;
      if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      Sspi.freeCredentialsHandle(credential);
      return { status: Sspi.statusName(result.status), deleted, call: journal.calls[0]! };
    };

    it('is not asked to delegate, nor for the certificate of the client', async () => {
      const ofTls =
        Sspi.ASC_REQ_CONFIDENTIALITY |
        Sspi.ASC_REQ_REPLAY_DETECT |
        Sspi.ASC_REQ_SEQUENCE_DETECT |
        Sspi.ASC_REQ_STREAM |
        Sspi.ASC_REQ_CONNECTION |
        Sspi.ASC_REQ_EXTENDED_ERROR;
      const asked = ALL | ofTls | Sspi.ASC_REQ_MUTUAL_AUTH | Sspi.ASC_REQ_INTEGRITY;
      const { status, call, deleted } = await firstLeg((reply) => reply, asked);
      assert.equal(status, 'SEC_I_CONTINUE_NEEDED');
      assert.equal(call.requirements, ofTls);
      assert.equal(deleted, 0);
    });

    it('its failure is the failure, and its context goes', async () => {
      const { status, deleted } = await firstLeg((reply) => ({ ...reply, status: Sspi.SEC_E_ALGORITHM_MISMATCH }));
      assert.deepEqual([status, deleted], ['SEC_E_ALGORITHM_MISMATCH', 1]);
    });

    it('SEC_E_OK of its first leg without a context is an error', async () => {
      const { status } = await firstLeg((reply) => ({ ...reply, status: Sspi.SEC_E_OK, context: undefined }));
      assert.equal(status, 'SEC_E_INTERNAL_ERROR');
    });

    it('an answer that TLS does not seal any more is an error that says so', async () => {
      const encryptMessage = (): Sspi.MessageAnswer => ({ status: Sspi.SEC_E_CONTEXT_EXPIRED });
      const journal = { calls: [], deleted: 0 };
      const broken = scriptedSchannel((reply) => {
        Object.assign(reply.context!, { encryptMessage });
        return reply;
      }, journal);
      const schannel = { package: broken, authData: certificates.server };
      using server = await CredSspServer.start(credsspAuthData({ schannel }));
      using connection = server.connect();
      await connection.secure();
      const { status, result } = await connection.say(connection.client.first());
      assert.equal(status, 'SEC_E_INTERNAL_ERROR');
      assert.match(result.diagnosis!.text!, /TLS connection inside CredSSP/);
      assert.equal(journal.deleted, 1);
    });

    it('an exception is an error', async () => {
      const { status } = await firstLeg(() => {
        throw new Error('inside');
      });
      assert.equal(status, 'SEC_E_INTERNAL_ERROR');
    });
  });

  it('says what it is', () => {
    assert.deepEqual(credsspPackage.info, {
      name: 'CREDSSP',
      comment: 'Microsoft CredSSP Security Provider',
      capabilities: 0x110733,
      version: 1,
      rpcId: 0xffff,
      maxToken: 0x90a8,
    });
  });
});

describe('CredSSP over a scripted Schannel', () => {
  /** One that answers the first leg as it is told; then its messages cannot be opened. */
  const scriptedSchannel = (reply: AcceptReply, deleted: () => void): SecurityPackage => {
    const context = {
      accept: (): AcceptReply => reply,
      queryAttribute: () => ({ status: Sspi.SEC_E_UNSUPPORTED_FUNCTION }),
      queryToken: () => ({ status: Sspi.SEC_E_NO_IMPERSONATION }),
      heldBytes: 0,
      decryptMessage() {
        throw new Error('out of memory');
      },
      delete: deleted,
    };
    const credential = { accept: (): AcceptReply => ({ ...reply, context }), free: () => undefined };
    return { info: schannelPackage.info, acquireCredentials: () => credential };
  };
  const firstLeg = async (reply: AcceptReply) => {
    let deletions = 0;
    const schannel = { package: scriptedSchannel(reply, () => deletions++), authData: {} };
    using server = await CredSspServer.start(credsspAuthData({ schannel }));
    using connection = server.connect();
    const { context, ...result } = await connection.accept(Buffer.of(22));
    const held = context && Sspi.heldBytes(context);
    const before = deletions;
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    return { ...result, held, deletions: [before, deletions] };
  };

  it('deletes it once where opening a message throws', async () => {
    const extra = { type: Sspi.SECBUFFER_EXTRA, data: Buffer.of(23) };
    const { status, deletions } = await firstLeg({ status: Sspi.SEC_E_OK, output: [extra] });
    assert.deepEqual([Sspi.statusName(status), deletions], ['SEC_E_INTERNAL_ERROR', [1, 1]]);
  });

  it('goes on with a token of no bytes where it has none, and holds nothing', async () => {
    const { status, output, held, deletions } = await firstLeg({ status: Sspi.SEC_I_CONTINUE_NEEDED, output: [] });
    assert.deepEqual([Sspi.statusName(status), held, deletions], ['SEC_I_CONTINUE_NEEDED', 0, [0, 1]]);
    assert.deepEqual(
      output.map(({ type, data }) => [type, data.byteLength]),
      [[Sspi.SECBUFFER_TOKEN, 0]],
    );
  });
});
