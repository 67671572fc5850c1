/** What hostile clients of CredSSP send: section F of the threat model. Each of them gets no context. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeTsRequest } from '../../../src/formats/credssp/ts-request.ts';
import type { TsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { contextTag, derElement, derInteger, derOctetString } from '../../../src/formats/der.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { mutate, mutations } from '../ntlm/message-changes.ts';
import { part } from '../schannel/schannel-server.ts';
import { clientBinding, passwordCredentials, publicKeyOf, tsCredentials } from './credssp-client.ts';
import { alice, credsspAuthData, CredSspServer, PASSWORD } from './credssp-server.ts';
import type { Answered, CredSspConnection } from './credssp-server.ts';

const LOGON_FAILURE = 0xc000006d;
const NOT_SUPPORTED = 0xc00000bb;
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const numRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 60);

describe('hostile clients of CredSSP', () => {
  let server: CredSspServer;
  let contexts: number;
  before(async () => {
    ({ contexts } = Sspi.liveHandles());
    server = await CredSspServer.start();
  });
  after(() => {
    server[Symbol.dispose]();
    // Other files of this process may have acquired credentials meanwhile.
    assert.equal(Sspi.liveHandles().contexts, contexts);
  });

  /** A refusal has no context, and tells no more than an NTSTATUS. */
  const refused = ({ status, answer, result }: Answered, wanted: string, errorCode?: number): void => {
    assert.equal(status, wanted, result.diagnosis?.text);
    assert.equal(result.context, undefined);
    const told: TsRequest | undefined =
      answer &&
      (Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== undefined)) as unknown as TsRequest);
    assert.deepEqual(told, errorCode === undefined ? undefined : { version: 6, errorCode });
    assert.ok(!JSON.stringify(result.diagnosis ?? {}).includes(PASSWORD));
  };

  describe('F01: versions that CVE-2018-0886 concerns', () => {
    for (const [version, errorCode] of [
      [2, undefined],
      [3, NOT_SUPPORTED],
      [4, NOT_SUPPORTED],
      [1, undefined],
      [0, undefined],
      [-1, undefined],
    ] as const) {
      it(`${version} is refused${errorCode === undefined ? ' in silence' : ' with STATUS_NOT_SUPPORTED'}`, async () => {
        using connection = server.connect({ version });
        await connection.secure();
        const answered = await connection.say(connection.client.first());
        refused(answered, 'SEC_E_UNSUPPORTED_FUNCTION', errorCode);
        assert.match(answered.result.diagnosis!.text!, /minVersion is 5/);
      });
    }

    it('without ASC_REQ_EXTENDED_ERROR nothing is told', async () => {
      using connection = server.connect({ version: 3, requirements: 0 });
      await connection.secure();
      const { result } = await connection.say(connection.client.first());
      assert.deepEqual(result.output, []);
    });
  });

  describe('F02: nonce and version', () => {
    const proof = (
      connection: CredSspConnection,
      challenge: Uint8Array,
      changes: Partial<TsRequest>,
    ): Promise<Answered> => {
      const { client } = connection;
      const negoToken = client.authenticate(challenge);
      const pubKeyAuth = client.seal(client.binding());
      return connection.say({ negoToken, pubKeyAuth, clientNonce: client.nonce, ...changes });
    };

    it('pubKeyAuth without a nonce is refused', async () => {
      using connection = server.connect();
      refused(
        await proof(connection, await connection.challenge(), { clientNonce: undefined }),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
    });

    for (const length of [0, 31, 33, 1000]) {
      it(`a nonce of ${length} bytes is refused`, async () => {
        using connection = server.connect();
        refused(
          await proof(connection, await connection.challenge(), { clientNonce: new Uint8Array(length) }),
          'SEC_E_INVALID_TOKEN',
          LOGON_FAILURE,
        );
      });
    }

    it('a nonce that changes between two messages is refused', async () => {
      using connection = server.connect();
      await connection.secure();
      const { client } = connection;
      const { answer } = await connection.say({ ...client.first(), clientNonce: Buffer.alloc(32, 1) });
      refused(await proof(connection, answer!.negoToken!, {}), 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
    });

    it('and so is another one beside the credentials', async () => {
      using connection = server.connect();
      await connection.proveKey();
      const { client } = connection;
      const authInfo = client.seal(passwordCredentials(alice));
      refused(
        await connection.say({ authInfo, clientNonce: Buffer.alloc(32, 1) }),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
    });

    it('the same nonce in every message is what FreeRDP sends', async () => {
      using connection = server.connect();
      await connection.secure();
      const { client } = connection;
      const clientNonce = client.nonce;
      const { answer } = await connection.say({ ...client.first(), clientNonce });
      await proof(connection, answer!.negoToken!, {});
      const authInfo = client.seal(passwordCredentials(alice));
      assert.equal((await connection.say({ authInfo, clientNonce })).status, 'SEC_E_OK');
    });

    for (const [first, then] of [
      [6, 5],
      [5, 6],
      [6, 2],
      [6, 99],
      [99, 6],
    ] as const) {
      it(`a version that changes from ${first} to ${then} is refused`, async () => {
        using connection = server.connect({ version: first });
        const challenge = await connection.challenge();
        const answered = await proof(connection, challenge, { version: then });
        refused(answered, 'SEC_E_INVALID_TOKEN', first === 5 ? undefined : LOGON_FAILURE);
        assert.match(answered.result.diagnosis!.text!, /version changed/);
      });
    }
  });

  describe('F03: pubKeyAuth', () => {
    const key = publicKeyOf(certificates.server.cert);
    const nonce = Buffer.alloc(32, 7);
    const wrong: readonly (readonly [string, Uint8Array])[] = [
      ['of another certificate', clientBinding(nonce, publicKeyOf(certificates.serverEc.cert))],
      ['of the whole certificate', clientBinding(nonce, Buffer.from(certificates.server.cert))],
      ['with the key in place of its hash', key],
      ['without the NUL', clientBinding(nonce, key, 'CredSSP Client-To-Server Binding Hash')],
      ["with the server's text", clientBinding(nonce, key, 'CredSSP Server-To-Client Binding Hash\0')],
      ['over another nonce', clientBinding(Buffer.alloc(32, 8), key)],
      ['of no bytes', new Uint8Array(0)],
      ['of 31 bytes', clientBinding(nonce, key).subarray(1)],
    ];
    for (const [name, binding] of wrong) {
      it(`${name} is refused, and no credentials are read`, async () => {
        using connection = server.connect();
        const { client } = connection;
        const negoToken = client.authenticate(await connection.challenge());
        const answered = await connection.say({ negoToken, pubKeyAuth: client.seal(binding), clientNonce: nonce });
        refused(answered, 'SEC_E_BAD_BINDINGS', LOGON_FAILURE);
        assert.equal(answered.result.diagnosis?.account, 'LAB\\alice');
      });
    }

    it('with another key than that of the sign-in it cannot be unsealed', async () => {
      using connection = server.connect();
      const { client } = connection;
      const negoToken = client.authenticate(await connection.challenge());
      const pubKeyAuth = Uint8Array.from(client.seal(client.binding()));
      pubKeyAuth[20] = pubKeyAuth[20]! ^ 1;
      refused(
        await connection.say({ negoToken, pubKeyAuth, clientNonce: nonce }),
        'SEC_E_MESSAGE_ALTERED',
        LOGON_FAILURE,
      );
    });

    it('before or beside a sign-in that is not done it is refused', async () => {
      using early = server.connect();
      await early.secure();
      refused(
        await early.say({ pubKeyAuth: new Uint8Array(48), clientNonce: nonce }),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
      using beside = server.connect();
      await beside.secure();
      refused(
        await beside.say({ ...beside.client.first(), pubKeyAuth: new Uint8Array(48), clientNonce: nonce }),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
    });
  });

  describe('C12, C01: the sign-in inside', () => {
    it('a wrong password is refused before pubKeyAuth is looked at', async () => {
      using connection = server.connect({}, { ...alice, password: 'wrong' });
      const answered = await connection.proveKey();
      refused(answered, 'SEC_E_LOGON_DENIED', LOGON_FAILURE);
      assert.equal(answered.result.diagnosis?.account, 'LAB\\alice');
    });

    it('C12: NTLMv1 is refused', async () => {
      using connection = server.connect();
      const { client } = connection;
      const negoToken = client.authenticate(await connection.challenge(), {
        ntResponse: new Uint8Array(24),
        mic: false,
      });
      const pubKeyAuth = client.seal(client.binding());
      const answered = await connection.say({ negoToken, pubKeyAuth, clientNonce: client.nonce });
      refused(answered, 'SEC_E_LOGON_DENIED', LOGON_FAILURE);
      assert.match(answered.result.diagnosis!.text!, /NTLMv1/);
    });

    it('C12: an anonymous logon is refused', async () => {
      using connection = server.connect({}, { userName: '', domain: '', password: '' });
      refused(await connection.proveKey(), 'SEC_E_LOGON_DENIED', LOGON_FAILURE);
    });

    it('without sealing there is nothing that could carry the key', async () => {
      using connection = server.connect();
      const { client } = connection;
      const negoToken = client.authenticate(await connection.challenge(), { flags: 0x60088235 & ~0x30, mic: false });
      const pubKeyAuth = client.seal(client.binding());
      refused(
        await connection.say({ negoToken, pubKeyAuth, clientNonce: client.nonce }),
        'SEC_E_MESSAGE_ALTERED',
        LOGON_FAILURE,
      );
    });

    it('a negoToken after the sign-in is refused', async () => {
      using connection = server.connect();
      const { client } = connection;
      const negoToken = client.authenticate(await connection.challenge());
      assert.equal((await connection.say({ negoToken })).status, 'SEC_I_CONTINUE_NEEDED');
      refused(await connection.say({ negoToken }), 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
    });
  });

  describe('F04: credentials', () => {
    it('before the key is proved are refused', async () => {
      using first = server.connect();
      await first.secure();
      refused(await first.say({ authInfo: new Uint8Array(80) }), 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
      using early = server.connect();
      const { client } = early;
      const negoToken = client.authenticate(await early.challenge());
      await early.say({ negoToken });
      refused(
        await early.say({ authInfo: client.seal(passwordCredentials(alice)) }),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
      using beside = server.connect();
      const all = beside.client.authenticate(await beside.challenge());
      const pubKeyAuth = beside.client.seal(beside.client.binding());
      const authInfo = beside.client.seal(passwordCredentials(alice));
      const answered = await beside.say({ negoToken: all, pubKeyAuth, authInfo, clientNonce: beside.client.nonce });
      refused(answered, 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
    });

    it('in place of which something else comes are refused', async () => {
      for (const fields of [{}, { pubKeyAuth: new Uint8Array(48) }, { negoToken: new Uint8Array(40) }]) {
        using connection = server.connect();
        await connection.proveKey();
        refused(await connection.say(fields), 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
      }
    });

    it('twice: the second message is not read by CredSSP any more', async () => {
      using connection = server.connect();
      const { result } = await connection.signIn();
      const records = await connection.client.send({ authInfo: connection.client.seal(passwordCredentials(alice)) });
      const again = await connection.accept(records);
      assert.equal(Sspi.statusName(again.status), 'SEC_E_UNSUPPORTED_FUNCTION');
      assert.equal(again.context, undefined);
      assert.equal(Sspi.querySecurityContextToken(result.context!).status, Sspi.SEC_E_INVALID_HANDLE);
    });

    it('twice in one record are refused', async () => {
      using connection = server.connect();
      await connection.proveKey();
      const { client } = connection;
      const message = encodeTsRequest({ version: 6, authInfo: client.seal(passwordCredentials(alice)) });
      refused(
        await connection.answered(await client.tls.send(Buffer.concat([message, message]))),
        'SEC_E_INVALID_TOKEN',
        LOGON_FAILURE,
      );
    });

    for (const credType of [2, 6, 99, 0, -1]) {
      it(`of type ${credType} are not read`, async () => {
        using connection = server.connect();
        const answered = await connection.signIn(
          tsCredentials(credType, [utf16('LAB'), utf16('alice'), utf16(PASSWORD)]),
        );
        refused(answered, 'SEC_E_UNKNOWN_CREDENTIALS', LOGON_FAILURE);
        const kinds: Readonly<Record<number, RegExp>> = { 2: /of a smart card/, 6: /Remote Credential Guard/ };
        assert.match(answered.result.diagnosis!.text!, kinds[credType] ?? new RegExp(`of type ${credType}`));
      });
    }

    const malformed: readonly (readonly [string, Uint8Array])[] = [
      ['two sets', Buffer.concat([passwordCredentials(alice), passwordCredentials(alice)])],
      ['no DER', Buffer.from(PASSWORD)],
      ['cut off', passwordCredentials(alice).subarray(0, 40)],
      ['a password with half a unit', tsCredentials(1, [utf16('LAB'), utf16('alice'), utf16(PASSWORD).subarray(1)])],
      ['a password with a lone surrogate', tsCredentials(1, [utf16('LAB'), utf16('alice'), utf16('\ud800')])],
      ['a password with a NUL', tsCredentials(1, [utf16('LAB'), utf16('alice'), utf16('a\0b')])],
    ];
    for (const [name, credentials] of malformed) {
      it(`malformed (${name}) are refused, and the error has nothing of them`, async () => {
        using connection = server.connect();
        const answered = await connection.signIn(credentials);
        refused(answered, 'SEC_E_INVALID_TOKEN', LOGON_FAILURE);
        assert.match(answered.result.diagnosis!.text!, /not a message of CredSSP/);
      });
    }

    it('sealed with another key are refused', async () => {
      using connection = server.connect();
      await connection.proveKey();
      const authInfo = Uint8Array.from(connection.client.seal(passwordCredentials(alice)));
      authInfo[30] = authInfo[30]! ^ 1;
      refused(await connection.say({ authInfo }), 'SEC_E_MESSAGE_ALTERED', LOGON_FAILURE);
    });
  });

  describe('F05: the account beside the password', () => {
    const given = async (
      account: { readonly domain: string; readonly userName: string },
      as = alice,
    ): Promise<Answered> => {
      using connection = server.connect({}, as);
      return await connection.signIn(passwordCredentials({ ...account, password: PASSWORD }));
    };
    const same: readonly (readonly [string, string])[] = [
      ['LAB', 'alice'],
      ['lab', 'ALICE'],
      ['', 'alice'],
      ['.', 'alice'],
      ['', 'alice@TEST.LOCAL'],
      ['test.local', 'alice'],
      ['', 'LAB\\alice'],
      ['', 'alice@lab'],
    ];
    for (const [domain, userName] of same) {
      it(`${JSON.stringify(domain)} ${userName} is LAB\\alice`, async () => {
        assert.equal((await given({ domain, userName })).status, 'SEC_E_OK');
      });
    }
    const others: readonly (readonly [string, string])[] = [
      ['LAB', 'bob'],
      ['LAB', ''],
      ['', 'bob'],
      ['OTHER', 'alice'],
      ['', 'alice@other.local'],
      ['OTHER', 'alice@TEST.LOCAL'],
      ['', 'OTHER\\alice'],
      ['', 'alice@'],
      ['LAB', 'alice '],
      ['LAB', 'LAB\\alice'],
    ];
    for (const [domain, userName] of others) {
      it(`${JSON.stringify(domain)} ${JSON.stringify(userName)} is not`, async () => {
        const answered = await given({ domain, userName });
        refused(answered, 'SEC_E_LOGON_DENIED', LOGON_FAILURE);
        assert.match(answered.result.diagnosis!.text!, /another account/);
      });
    }

    it('a name that the client signed in with is its own, as it wrote it', async () => {
      using named = await CredSspServer.start(credsspAuthData({}, { dnsDomain: 'lab.test' }));
      for (const account of [
        { domain: 'lab.test', userName: 'alice' },
        { domain: '', userName: 'alice@lab.test' },
      ]) {
        using connection = named.connect({}, { ...account, password: PASSWORD });
        assert.equal(
          (await connection.signIn(passwordCredentials({ ...account, password: PASSWORD }))).status,
          'SEC_E_OK',
        );
      }
    });

    it('a password without a name is no restricted administration', async () => {
      refused(await given({ domain: '', userName: '' }), 'SEC_E_LOGON_DENIED', LOGON_FAILURE);
    });
  });

  describe('F06: TLS', () => {
    it('endless records that hold nothing of a TSRequest end', async () => {
      using connection = server.connect();
      await connection.secure();
      const { client } = connection;
      const length = Buffer.from('3082fff0a003020106', 'hex');
      let status = '';
      for (let sent = 0; sent < 400 * 1024; sent += 1024) {
        const bytes = sent === 0 ? Buffer.concat([length, Buffer.alloc(1024)]) : Buffer.alloc(1024);
        const result = await connection.accept(await client.tls.send(bytes));
        status = Sspi.statusName(result.status);
        if (result.context === undefined) break;
        assert.equal(part(result.output, Sspi.SECBUFFER_TOKEN).byteLength, 0);
      }
      assert.equal(status, 'SEC_E_INVALID_TOKEN');
    });

    it('1 MiB in one token is refused at its first TSRequest', async () => {
      using connection = server.connect();
      await connection.secure();
      const records = await connection.client.tls.send(Buffer.alloc(1024 * 1024, 0x30));
      refused(await connection.answered(records), 'SEC_E_INVALID_TOKEN');
    });

    it('a TSRequest that says it is longer than 64 KiB is refused at its length', async () => {
      using connection = server.connect();
      await connection.secure();
      refused(
        await connection.answered(await connection.client.tls.send(Buffer.from('3083010000', 'hex'))),
        'SEC_E_INVALID_TOKEN',
      );
    });

    it('the end of TLS in the middle is the end', async () => {
      using connection = server.connect();
      await connection.secure();
      connection.client.tls.socket.end();
      refused(await connection.answered(await connection.client.tls.next()), 'SEC_E_CONTEXT_EXPIRED');
    });

    it('a record that was changed is the end', async () => {
      using connection = server.connect();
      await connection.secure();
      const records = await connection.client.send(connection.client.first());
      records[10] = records[10]! ^ 1;
      const result = await connection.accept(records);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_MESSAGE_ALTERED');
      assert.ok(part(result.output, Sspi.SECBUFFER_TOKEN).byteLength > 0, 'the alert');
    });
  });

  describe('F07: what only a server sends', () => {
    it('an errorCode is refused', async () => {
      for (const errorCode of [LOGON_FAILURE, 0]) {
        using connection = server.connect();
        await connection.secure();
        refused(
          await connection.say({ ...connection.client.first(), errorCode }),
          'SEC_E_INVALID_TOKEN',
          LOGON_FAILURE,
        );
      }
    });

    it('a thousand negoTokens are refused', async () => {
      using connection = server.connect();
      await connection.secure();
      const item = derElement(0x30, derElement(contextTag(0), derOctetString(Uint8Array.of(1))));
      const list = derElement(contextTag(1), derElement(0x30, ...Array.from({ length: 1000 }, () => item)));
      const bytes = derElement(0x30, derElement(contextTag(0), derInteger(6)), list);
      // Its version was never read, so it is told nothing.
      refused(await connection.answered(await connection.client.tls.send(bytes)), 'SEC_E_INVALID_TOKEN');
    });
  });

  it('changed TSRequests are never more than a step of the handshake', async () => {
    await fc.assert(
      fc.asyncProperty(mutations, fc.nat(2), async (changes, leg) => {
        using connection = server.connect();
        const { client } = connection;
        const alter = async (message: TsRequest): Promise<Answered> =>
          await connection.answered(await client.tls.send(mutate(encodeTsRequest(message), changes)));
        let answered: Answered;
        if (leg === 0) {
          await connection.secure();
          answered = await alter(client.first());
        } else if (leg === 1) {
          const negoToken = client.authenticate(await connection.challenge());
          const pubKeyAuth = client.seal(client.binding());
          answered = await alter({ version: 6, negoToken, pubKeyAuth, clientNonce: client.nonce });
        } else {
          await connection.proveKey();
          const authInfo = client.seal(passwordCredentials(alice));
          const message = encodeTsRequest({ version: 6, authInfo });
          const changed = mutate(message, changes);
          answered = await connection.answered(await client.tls.send(changed));
          if (!Buffer.from(changed).equals(message)) assert.notEqual(answered.status, 'SEC_E_OK');
        }
        assert.ok(!/INTERNAL/.test(answered.status), answered.status);
        if (leg < 2) assert.notEqual(answered.status, 'SEC_E_OK');
      }),
      // Each is a handshake of TLS.
      { numRuns: Math.ceil(numRuns / 10) },
    );
  });
});
