/** Sign-ins over CredSSP through the contract: legs, what comes out, and what becomes of the password. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../ntlm/ntlm-client.ts';
import { data, part, token } from '../schannel/schannel-server.ts';
import { recordsOf } from '../schannel/tls-client.ts';
import { passwordCredentials, publicKeyOf, tsCredentials } from './credssp-client.ts';
import { ALL, alice, credsspAuthData, CredSspServer, PASSWORD } from './credssp-server.ts';
import { serverBinding } from '../../../src/packages/credssp/key-binding.ts';

const publicKey = publicKeyOf(certificates.server.cert);
const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const noBytes = new Uint8Array(0);
const restricted = tsCredentials(1, [noBytes, noBytes, noBytes]);

describe('CredSSP', () => {
  let server: CredSspServer;
  const before_ = Sspi.liveHandles();
  before(async () => {
    server = await CredSspServer.start();
  });
  after(() => {
    server[Symbol.dispose]();
    assert.deepEqual(Sspi.liveHandles(), before_);
  });

  for (const version of versions) {
    it(`five legs over ${version} end in SEC_E_OK without a token, and the server proves its key`, async () => {
      using connection = server.connect({ tls: { minVersion: version, maxVersion: version } });
      const proved = await connection.proveKey();
      const { client } = connection;
      assert.deepEqual(
        client.serverBinding(proved.answer?.pubKeyAuth),
        Uint8Array.from(serverBinding(6, publicKey, client.nonce)),
      );
      const { status, result } = await connection.give(passwordCredentials(alice));
      assert.equal(status, 'SEC_E_OK', result.diagnosis?.text);
      assert.deepEqual(result.output, []);
      const wanted =
        Sspi.ASC_RET_CONFIDENTIALITY |
        Sspi.ASC_RET_INTEGRITY |
        Sspi.ASC_RET_REPLAY_DETECT |
        Sspi.ASC_RET_SEQUENCE_DETECT |
        Sspi.ASC_RET_STREAM |
        Sspi.ASC_RET_EXTENDED_ERROR |
        Sspi.ASC_RET_DELEGATE;
      assert.equal(result.attributes, wanted);
      const context = result.context!;
      assert.equal(Sspi.querySecurityContextToken(context).value?.userName, 'alice');
      const query = <A extends Sspi.ContextAttribute>(attribute: A) => Sspi.queryContextAttributes(context, attribute);
      assert.equal(query(Sspi.SECPKG_ATTR_NAMES).value, 'LAB\\alice');
      assert.equal(query(Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value?.package.name, 'NTLM');
      assert.equal(query(Sspi.SECPKG_ATTR_PACKAGE_INFO).value?.name, 'CREDSSP');
      assert.equal(query(Sspi.SECPKG_ATTR_FLAGS).value, wanted);
      assert.equal(query(Sspi.SECPKG_ATTR_STREAM_SIZES).value?.maximumMessage, 16384);
      assert.equal(query(Sspi.SECPKG_ATTR_CIPHER_INFO).value?.protocol, version === 'TLSv1.2' ? 0x303 : 0x304);
      assert.equal(query(Sspi.SECPKG_ATTR_SESSION_KEY).value?.byteLength, 16);
      assert.equal(Sspi.outlivesHandshake(context), true);
    });

    it(`messages after it are those of TLS (${version}), and it can be closed`, async () => {
      using connection = server.connect({ tls: { minVersion: version, maxVersion: version } });
      const { result } = await connection.signIn();
      const context = result.context!;
      const { tls } = connection.client;
      const sealed = await Sspi.encryptMessage(context, [data('from the server')]);
      await tls.next(part(sealed.value, Sspi.SECBUFFER_TOKEN));
      assert.equal(tls.text, 'from the server');
      const opened = await Sspi.decryptMessage(context, [data(await tls.send('from the client'))]);
      assert.equal(part(opened.value, Sspi.SECBUFFER_DATA).toString(), 'from the client');
      const shutdown = token(Uint8Array.of(Sspi.SCHANNEL_SHUTDOWN, 0, 0, 0));
      assert.equal(Sspi.applyControlToken(context, [shutdown]), Sspi.SEC_E_OK);
      const closed = await connection.accept(noBytes);
      assert.equal(Sspi.statusName(closed.status), 'SEC_E_OK');
      await tls.next(part(closed.output, Sspi.SECBUFFER_TOKEN));
      assert.equal(tls.ended, true);
    });
  }

  it('version 5 signs in as well; a higher one than 6 is taken as 6', async () => {
    for (const version of [5, 6, 7, 99]) {
      using connection = server.connect({ version });
      const { answer } = await connection.proveKey();
      assert.equal(answer?.version, 6);
      assert.equal((await connection.give(passwordCredentials(alice))).status, 'SEC_E_OK', String(version));
    }
  });

  it('versions 2 to 4, where minVersion allows them, prove the key itself', async () => {
    using old = await CredSspServer.start(credsspAuthData({ minVersion: 2 }));
    for (const version of [2, 3, 4]) {
      using connection = old.connect({ version });
      const { answer } = await connection.proveKey();
      const received = connection.client.serverBinding(answer?.pubKeyAuth);
      assert.equal(received[0], publicKey[0]! + 1);
      assert.ok(Buffer.from(received.subarray(1)).equals(publicKey.subarray(1)));
      assert.equal((await connection.give(passwordCredentials(alice))).status, 'SEC_E_OK', String(version));
    }
  });

  it('a server of version 5 answers with 5', async () => {
    using old = await CredSspServer.start(credsspAuthData({ maxVersion: 5 }));
    using connection = old.connect({ version: 6 });
    assert.equal((await connection.proveKey()).answer?.version, 5);
  });

  it('TLS 1.3: Finished and the first TSRequest in one token', async () => {
    using connection = server.connect({ tls: { minVersion: 'TLSv1.3' } });
    const { client } = connection;
    const hello = await connection.accept(await client.tls.next());
    const finished = await client.tls.next(part(hello.output, Sspi.SECBUFFER_TOKEN));
    const both = Buffer.concat([finished, await client.send(client.first())]);
    const { status, answer } = await connection.answered(both);
    assert.equal(status, 'SEC_I_CONTINUE_NEEDED');
    assert.ok(answer?.negoToken !== undefined);
  });

  it('byte by byte: incomplete until a record is whole, and nothing of it is consumed', async () => {
    using connection = server.connect({ tls: { minVersion: 'TLSv1.3' } });
    const { client } = connection;
    await connection.secure();
    const records = await client.send(client.first());
    for (const length of [1, 4, 5, records.byteLength - 1]) {
      const cut = await connection.accept(records.subarray(0, length));
      assert.equal(Sspi.statusName(cut.status), 'SEC_E_INCOMPLETE_MESSAGE');
      assert.ok(cut.missing! > 0 && length + cut.missing! <= records.byteLength);
    }
    assert.equal((await connection.answered(records)).status, 'SEC_I_CONTINUE_NEEDED');
  });

  it('a TSRequest in two records and two legs: the server waits with an empty token', async () => {
    using connection = server.connect();
    const { client } = connection;
    await connection.secure();
    const whole = Buffer.from(
      '3037a003020106a130302e302ca02a0428' + Buffer.from(negotiateMessage(WINDOWS_FLAGS)).toString('hex'),
      'hex',
    );
    // The recorded header is of 40 bytes of NTLM.
    const bytes = Buffer.concat([whole, Buffer.alloc(0x39 - whole.byteLength)]);
    const [first, second] = [await client.tls.send(bytes.subarray(0, 20)), await client.tls.send(bytes.subarray(20))];
    const waiting = await connection.accept(Buffer.concat([first, second.subarray(0, 7)]));
    assert.equal(Sspi.statusName(waiting.status), 'SEC_I_CONTINUE_NEEDED');
    assert.equal(part(waiting.output, Sspi.SECBUFFER_TOKEN).byteLength, 0);
    const extra = part(waiting.output, Sspi.SECBUFFER_EXTRA);
    assert.deepEqual(extra, second.subarray(0, 7));
    const { answer } = await connection.answered(second);
    assert.ok(answer?.negoToken !== undefined);
  });

  it('what follows the last TSRequest comes back unread', async () => {
    using connection = server.connect();
    const { client } = connection;
    await connection.proveKey();
    const last = await client.send({ authInfo: client.seal(passwordCredentials(alice)) });
    const next = await client.tls.send('MCS Connect Initial');
    const result = await connection.accept(Buffer.concat([last, next]));
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    const extra = part(result.output, Sspi.SECBUFFER_EXTRA);
    assert.deepEqual(extra, next);
    const opened = await Sspi.decryptMessage(result.context!, [data(extra)]);
    assert.equal(part(opened.value, Sspi.SECBUFFER_DATA).toString(), 'MCS Connect Initial');
  });

  it('a half-open context is counted and can be left', async () => {
    const connection = server.connect();
    await connection.challenge();
    assert.ok(Sspi.heldBytes(connection.context!) > 10_000);
    assert.equal(Sspi.querySecurityContextToken(connection.context!).status, Sspi.SEC_E_INVALID_HANDLE);
    connection[Symbol.dispose]();
  });

  it('a TLS handshake that nobody finishes is refused as Schannel refuses it', async () => {
    using connection = server.connect();
    const refused = await connection.accept(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    assert.equal(Sspi.statusName(refused.status), 'SEC_E_INVALID_TOKEN');
    using cut = server.connect();
    const [hello] = recordsOf(await cut.client.tls.next());
    const waiting = await cut.accept(hello!.subarray(0, 20));
    assert.equal(Sspi.statusName(waiting.status), 'SEC_E_INCOMPLETE_MESSAGE');
    assert.ok(waiting.context !== undefined);
    assert.equal(Sspi.statusName((await cut.accept(hello!)).status), 'SEC_I_CONTINUE_NEEDED');
  });

  it('DATAGRAM and PROMPT_FOR_CREDS are not for CredSSP', async () => {
    for (const requirement of [Sspi.ASC_REQ_DATAGRAM, 0x40]) {
      using connection = server.connect({ requirements: requirement });
      const result = await connection.accept(await connection.client.tls.next());
      assert.equal(Sspi.statusName(result.status), 'SEC_E_UNSUPPORTED_FUNCTION');
    }
  });

  describe('the password', () => {
    const signedIn = async (
      authData = credsspAuthData(),
      requirements = ALL,
      credentials = passwordCredentials(alice),
    ): Promise<Sspi.AcceptSecurityContextResult> => {
      using own = await CredSspServer.start(authData);
      const connection = own.connect({ requirements });
      const { status, result } = await connection.signIn(credentials);
      connection.client[Symbol.dispose]();
      assert.equal(status, 'SEC_E_OK', result.diagnosis?.text);
      return result;
    };

    it('is given to who asks for it, once in full, and goes with the context', async () => {
      const { context } = await signedIn();
      const { status, value } = Sspi.queryDelegatedCredentials(context!);
      assert.equal(status, Sspi.SEC_E_OK);
      assert.ok(value?.kind === 'password');
      assert.deepEqual([value.domain, value.userName, value.password.toString()], ['LAB', 'alice', PASSWORD]);
      const { password } = value;
      assert.equal(password, value.password);
      Sspi.deleteSecurityContext(context!);
      assert.ok(password.byteLength > 0 && password.every((byte) => byte === 0));
      assert.equal(value.password.byteLength, 0);
    });

    it('can be wiped earlier', async () => {
      const { context } = await signedIn();
      const { value } = Sspi.queryDelegatedCredentials(context!);
      assert.ok(value?.kind === 'password');
      const { password } = value;
      value.wipe();
      value.wipe();
      assert.ok(password.every((byte) => byte === 0));
      assert.equal(value.password.byteLength, 0);
      Sspi.deleteSecurityContext(context!);
    });

    it('G04: is shown by nothing that prints', async () => {
      const { context } = await signedIn();
      const { value } = Sspi.queryDelegatedCredentials(context!);
      assert.ok(value?.kind === 'password');
      const shown = [
        inspect(value, { depth: 9, showHidden: true }),
        JSON.stringify(value),
        inspect({ ...value }),
        inspect(context, { depth: 9, showHidden: true }),
      ].join('\n');
      assert.match(shown, /alice/);
      const bytes = Buffer.from(PASSWORD);
      for (const secret of [PASSWORD, bytes.toString('hex'), bytes.toString('base64'), [...bytes].join(',')]) {
        assert.ok(!shown.includes(secret));
      }
      assert.doesNotMatch(shown, /Buffer|63 6f 72 72/);
      Sspi.deleteSecurityContext(context!);
    });

    it('is not kept without ASC_REQ_DELEGATE, or without delegation', async () => {
      for (const [authData, requirements] of [
        [credsspAuthData(), Sspi.ASC_REQ_EXTENDED_ERROR],
        [credsspAuthData({ delegation: false }), ALL],
        [credsspAuthData({ delegation: undefined }), ALL],
      ] as const) {
        const { context, attributes } = await signedIn(authData, requirements);
        assert.equal(attributes! & Sspi.ASC_RET_DELEGATE, 0);
        assert.equal(Sspi.queryDelegatedCredentials(context!).status, Sspi.SEC_E_NO_CREDENTIALS);
        assert.equal(Sspi.querySecurityContextToken(context!).value?.userName, 'alice');
        Sspi.deleteSecurityContext(context!);
      }
    });

    it('restricted administration: the user, and no password', async () => {
      const { context, attributes } = await signedIn(credsspAuthData(), ALL, restricted);
      assert.equal(attributes! & Sspi.ASC_RET_DELEGATE, 0);
      assert.equal(Sspi.queryDelegatedCredentials(context!).status, Sspi.SEC_E_NO_CREDENTIALS);
      assert.equal(Sspi.querySecurityContextToken(context!).value?.userName, 'alice');
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('restrictedAdmin: false wants a password', async () => {
    using strict = await CredSspServer.start(credsspAuthData({ restrictedAdmin: false }));
    using connection = strict.connect();
    const { status, answer, result } = await connection.signIn(restricted);
    assert.equal(status, 'SEC_E_LOGON_DENIED');
    assert.equal(answer?.errorCode, 0xc000006d);
    assert.match(result.diagnosis!.text!, /restrictedAdmin is false/);
  });
});
