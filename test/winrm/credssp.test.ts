/** The HTTP scheme CredSSP, and its encrypted messages, in each way of node:http. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import { digestField } from '../adapters/raw-clients.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import type { RawResponse } from '../lab/raw-connection.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import { alice, certificate, CREDSSP, CredSspHttpClient, encrypted, tokenOf } from './clients.ts';
import { echoOf, servers } from './servers.ts';
import type { ServerOptions } from './servers.ts';

const accounts = memoryAccounts([{ ...alice }]);
const credssp: ServerOptions = { accounts, domain: 'LAB', schemes: ['CredSSP'], credssp: certificate };
const plainly: ServerOptions = { ...credssp, allowCredSspWithoutTls: true };

const asked = (response: RawResponse): readonly string[] => response.headers.get('www-authenticate') ?? [];

for (const [name, start] of Object.entries(servers)) {
  describe(`CredSSP with ${name}`, () => {
    it('F09: without TLS is answered with 200 by the library, and admits encrypted messages alone', async () => {
      await using server = await start(plainly);
      await using client = await CredSspHttpClient.open(server.port);
      const last = await client.signIn();
      assert.deepEqual([last.status, last.body, asked(last)], [200, '', []]);
      assert.deepEqual(last.headers.get('persistent-auth'), ['true']);
      assert.equal(server.handled.length, 0, 'the leg with the password reaches no handler');
      assert.equal(await client.say('<one/>'), echoOf('<one/>'));
      for (const request of [{}, { method: 'POST', fields: ['Content-Type: text/plain'], body: 'added on the way' }]) {
        const response = await client.connection.exchange(request);
        assert.deepEqual([response.status, asked(response)], [401, ['CredSSP']]);
      }
      assert.equal(await client.say('<two/>'), echoOf('<two/>'), 'the sign-in stays');
      assert.deepEqual(
        server.handled.map(({ user, sspi, body }) => [user, sspi?.scheme, sspi?.package, body]),
        [
          ['LAB\\alice', 'CredSSP', 'NTLM', '<one/>'],
          ['LAB\\alice', 'CredSSP', 'NTLM', '<two/>'],
        ],
      );
      assert.deepEqual(
        server.refused.map(({ scheme, reason, account }) => [scheme, reason, account]),
        [
          ['CredSSP', 'body-not-encrypted', 'LAB\\alice'],
          ['CredSSP', 'body-not-encrypted', 'LAB\\alice'],
        ],
      );
    });

    it('F09: credentials of other schemes are added by anybody too: 401, and the sign-in stays', async () => {
      await using server = await start({ ...plainly, schemes: ['CredSSP', 'NTLM', 'Digest'] });
      await using client = await CredSspHttpClient.open(server.port);
      await client.signIn();
      const challenge = await client.connection.exchange({});
      const digest = digestField(challenge, { userName: alice.userName, password: alice.password });
      for (const fields of [
        [digest],
        [`Authorization: NTLM ${Buffer.from(negotiateMessage(WINDOWS_FLAGS)).toString('base64')}`],
        ['Authorization: Bearer abc'],
        ['Authorization: Digest'],
        [digest, digest],
      ]) {
        const { status } = await client.connection.exchange({ fields });
        assert.equal(status, 401, fields.join());
      }
      assert.equal(server.handled.length, 0);
      assert.equal(await client.say('<one/>'), echoOf('<one/>'), 'the sign-in stays');
      assert.ok(server.refused.every(({ reason }) => reason === 'body-not-encrypted'));
      // Elsewhere the same proof is good.
      await using other = await RawConnection.open(server.port);
      assert.equal((await other.exchange({ fields: [digest] })).status, 200);
    });

    it('encrypts long messages in parts of 16 KiB', async () => {
      await using server = await start(plainly);
      await using client = await CredSspHttpClient.open(server.port);
      await client.signIn();
      const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(16_000));
      assert.equal(await client.say(...parts), echoOf(parts.join('')));
      const response = await client.connection.exchange(await client.message(...parts));
      assert.match(response.headers.get('content-type')?.[0] ?? '', /^multipart\/x-multi-encrypted;/);
    });

    it('takes TLS 1.2 inside as well', async () => {
      await using server = await start(plainly);
      await using client = await CredSspHttpClient.open(server.port, { inside: { maxVersion: 'TLSv1.2' } });
      await client.signIn();
      assert.equal(client.credssp.tls.socket.getProtocol(), 'TLSv1.2');
      assert.equal(await client.say('<one/>', '<two/>'), echoOf('<one/><two/>'));
    });

    it('F09: without winrmEncryption() admits nothing', async () => {
      await using server = await start({ ...plainly, encryption: false });
      await using client = await CredSspHttpClient.open(server.port);
      assert.equal((await client.signIn()).status, 200);
      const messages = [await client.message('<x/>'), {}, { method: 'POST', body: 'x' }];
      for (const message of messages) assert.equal((await client.connection.exchange(message)).status, 401);
      assert.equal(server.handled.length, 0);
    });

    it('F09: bodies of another connection, and such that are no TLS, are answered with 400', async () => {
      await using server = await start(plainly);
      await using mallory = await CredSspHttpClient.open(server.port);
      await mallory.signIn();
      const foreign = await mallory.message('<x/>');
      await using client = await CredSspHttpClient.open(server.port);
      await client.signIn();
      assert.equal((await client.connection.exchange(foreign)).status, 400);
      assert.equal(server.handled.length, 0);
      assert.equal(server.refused[0]?.reason, 'body-not-opened');
      await using other = await CredSspHttpClient.open(server.port);
      await other.signIn();
      const part = { type: 'text/xml', length: 1, signatureLength: 17, sealed: Buffer.from('no TLS') };
      assert.equal((await other.connection.exchange(encrypted(CREDSSP, [part]))).status, 400);
      assert.equal(server.handled.length, 0);
    });

    it('F10: without TLS is not offered unless allowCredSspWithoutTls says so', async () => {
      await using server = await start({ ...credssp, schemes: ['CredSSP', 'NTLM'] });
      await using connection = await RawConnection.open(server.port);
      assert.deepEqual(asked(await connection.exchange({})), ['NTLM']);
      await using client = await CredSspHttpClient.open(server.port);
      const response = await client.leg(await client.credssp.tls.next());
      assert.deepEqual([response.status, asked(response)], [401, ['NTLM']]);
      assert.equal(server.refused[0]?.reason, 'scheme-not-offered');
      assert.equal(server.handled.length, 0);
    });

    it('with TLS admits the leg with the password and what comes after it', async () => {
      await using server = await start({ ...credssp, tls: true });
      await using client = await CredSspHttpClient.open(server.port, { tls: true });
      assert.deepEqual(asked(await client.connection.exchange({})), ['CredSSP']);
      const last = await client.signIn();
      assert.deepEqual([last.status, last.body], [200, echoOf('')]);
      assert.equal((await client.connection.exchange({ method: 'POST', body: '' })).status, 200);
      assert.equal(await client.say('<sealed/>'), echoOf('<sealed/>'));
      assert.equal(server.handled.length, 3);
      assert.equal(server.handled[0]?.sspi?.delegatedCredentials, undefined, 'nobody asked for the password');
    });

    it('gives the handler the password that the client gave away, where option delegate asks for it', async () => {
      let password: string | undefined;
      await using server = await start({ ...plainly, delegate: true });
      await using client = await CredSspHttpClient.open(server.port);
      await client.signIn();
      await client.say('<x/>');
      const credentials = server.handled[0]?.sspi?.delegatedCredentials;
      if (credentials?.kind === 'password') password = credentials.password.toString();
      assert.equal(password, alice.password);
      assert.doesNotMatch(JSON.stringify(server.refused), /Wonderland/);
    });

    it('tells a client with a wrong password that it is refused, within TLS and in a field of its own', async () => {
      await using server = await start({ ...plainly, schemes: ['Negotiate', 'CredSSP'] });
      await using client = await CredSspHttpClient.open(server.port, { password: 'wrong' });
      const refused = await client.proveKey();
      assert.equal(refused.status, 401);
      assert.equal(asked(refused).length, 1);
      const { errorCode } = await client.credssp.receive(tokenOf(refused, 'CredSSP'));
      assert.equal(errorCode, 0xc000006d);
      assert.deepEqual([server.refused[0]?.scheme, server.refused[0]?.reason], ['CredSSP', 'SEC_E_LOGON_DENIED']);
    });

    it('begins anew with a ClientHello on a connection that is signed in', async () => {
      const before = liveHandles().contexts;
      {
        await using server = await start(plainly);
        await using client = await CredSspHttpClient.open(server.port);
        await client.signIn();
        await using again = await CredSspHttpClient.open(server.port);
        const hello = await again.credssp.tls.next();
        const answer = await client.leg(hello);
        assert.ok(tokenOf(answer, 'CredSSP').byteLength > 100);
        const stale = await client.message('<stale/>');
        assert.equal((await client.connection.exchange(stale)).status, 401, 'the sign-in before it is over');
        assert.equal(server.handled.length, 0);
      }
      assert.equal(liveHandles().contexts, before);
    });

    it('F06: refuses tokens that end in the middle of a message, or that no client sends: a bare 401', async () => {
      await using server = await start(plainly);
      const tokens: readonly ((hello: Buffer) => Buffer)[] = [
        (hello) => hello.subarray(0, 3),
        (hello) => hello.subarray(0, hello.byteLength - 1),
        (hello) => Buffer.concat([hello, hello.subarray(0, 4)]),
        () => Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        () => Buffer.from([0x15, 3, 3, 0, 2, 2, 40]),
      ];
      for (const change of tokens) {
        await using client = await CredSspHttpClient.open(server.port);
        const response = await client.leg(change(await client.credssp.tls.next()));
        assert.equal(response.status, 401);
        assert.equal(asked(response).length, 1);
      }
      assert.equal(server.handled.length, 0);
    });

    it('keeps no sign-in on a connection that a proxy says it shares', async () => {
      await using server = await start(plainly);
      await using client = await CredSspHttpClient.open(server.port);
      await client.signIn();
      const { fields = [], ...message } = await client.message('<x/>');
      const response = await client.connection.exchange({ ...message, fields: [...fields, 'Via: 1.1 proxy'] });
      assert.equal(response.status, 401);
      assert.equal(server.handled.length, 0);
    });
  });
}
