import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { asyncCallLimit, MAX_WAITING_CALLS } from '../../../src/native/koffi.ts';
import {
  acceptSecurityContext,
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_CONNECTION,
  ASC_REQ_PROXY_BINDINGS,
  ASC_RET_CONFIDENTIALITY,
  ASC_RET_INTEGRITY,
  ASC_RET_MUTUAL_AUTH,
  deleteSecurityContext,
  liveHandles,
  makeSignature,
  queryContextAttributes,
  SEC_E_INVALID_HANDLE,
  SEC_E_INVALID_TOKEN,
  SEC_E_MESSAGE_ALTERED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SEC_E_QOP_NOT_SUPPORTED,
  SECBUFFER_CHANNEL_BINDINGS_RESULT,
  SECBUFFER_DATA,
  SECBUFFER_STREAM,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_NAMES,
  SECPKG_ATTR_NATIVE_NAMES,
  SECPKG_ATTR_SESSION_KEY,
  SECPKG_ATTR_SIZES,
  verifySignature,
} from '../../../src/sspi/index.ts';
import type { ContextHandle } from '../../../src/sspi/index.ts';
import { checksum } from '../../lab/kerberos/aes-sha1.ts';
import {
  checksumContent,
  checksumField,
  keytabKey,
  openApRequest,
  sealApRequest,
} from '../../lab/kerberos/ap-request-forge.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, outputToken, portable, useRealm } from './acceptor.ts';
import type { Acceptor } from './acceptor.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

const kdcTier = await tier('kdc', ['python3-gssapi']);
const heimdalTier = await tier('heimdal', ['python3-gssapi']);
const variants = [
  { gssapi: mit, ready: kdcTier, asynchronous: false },
  { gssapi: mit, ready: kdcTier, asynchronous: true },
  { gssapi: heimdal, ready: heimdalTier, asynchronous: false },
  { gssapi: heimdal, ready: heimdalTier, asynchronous: true },
  { gssapi: portable, ready: kdcTier, asynchronous: false },
  { gssapi: portable, ready: kdcTier, asynchronous: true },
];
const data = Buffer.from('a message of the application');

for (const { gssapi, ready, asynchronous } of variants) {
  const { name, library } = gssapi;
  describe(`Kerberos of ${name}, ${asynchronous ? 'asynchronous' : 'synchronous'}`, ready, () => {
    let kdc: Kdc;
    let client: GssClient;
    let server: Acceptor;
    before(async () => {
      kdc = await startKdc();
      useRealm(kdc);
      client = await startGssClient(await kdc.signIn('alice'));
      server = await acceptor({ keytab: kdc.keytab, asynchronous, library });
    });
    after(async () => {
      server[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
      await kdc.stop();
      assert.equal(liveHandles().contexts, 0);
    });

    it('signs in with one token and proves the server to the client', async () => {
      const result = await server.accept(await client.initiate());
      assert.equal(result.status, SEC_E_OK);
      assert.equal((await client.step(outputToken(result.output))).complete, true);
      const wanted = ASC_RET_MUTUAL_AUTH | ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY;
      assert.equal((result.attributes ?? 0) & wanted, wanted);
      // Tickets of this realm last ten hours.
      const hours = (result.expiry!.getTime() - Date.now()) / 3_600_000;
      assert.ok(hours > 9.9 && hours <= 10.1, `${hours} hours`);
      deleteSecurityContext(result.context!);
    });

    it('gives no token where the client wants no mutual authentication', async () => {
      const { status, token, output, attributes } = await server.verify(
        await client.initiate({ flags: ['integrity'] }),
      );
      assert.equal(status, 'SEC_E_OK');
      assert.equal(output.length, 0);
      assert.equal(attributes & ASC_RET_MUTUAL_AUTH, 0);
      assert.equal(token?.userName, 'alice');
      assert.equal(token.userPrincipalName, 'alice@TEST.LOCAL');
      assert.equal(token.domain, undefined);
      assert.deepEqual(token.groups, []);
    });

    it('answers what is asked of the context', async () => {
      const { context } = await server.accept(await client.initiate());
      assert.equal(queryContextAttributes(context!, SECPKG_ATTR_NAMES).value, 'alice@TEST.LOCAL');
      assert.deepEqual(queryContextAttributes(context!, SECPKG_ATTR_NATIVE_NAMES).value, {
        client: 'alice@TEST.LOCAL',
        server: 'HTTP/localhost@TEST.LOCAL',
      });
      assert.equal(queryContextAttributes(context!, SECPKG_ATTR_SESSION_KEY).value?.byteLength, 32);
      deleteSecurityContext(context!);
    });

    it('B11: a later leg fails, deletes the context, and leaves a dead handle', async () => {
      const token = await client.initiate();
      const { context } = await server.accept(token);
      const again = async (handle: ContextHandle): Promise<number> => {
        const { credential } = { credential: undefined };
        const input = [{ type: SECBUFFER_TOKEN, data: token }];
        return (await acceptSecurityContext({ credential, context: handle, input, requirements: 0, targetDataRep: 0 }))
          .status;
      };
      assert.equal(await again(context!), SEC_E_INVALID_HANDLE);
      assert.equal(deleteSecurityContext(context!), SEC_E_OK);
      assert.equal(deleteSecurityContext(context!), SEC_E_INVALID_HANDLE);
      assert.equal(queryContextAttributes(context!, SECPKG_ATTR_NAMES).status, SEC_E_INVALID_HANDLE);
    });

    describe('message protection', () => {
      let context: ContextHandle;
      const established = async (flags?: readonly string[]): Promise<ContextHandle> => {
        const result = await server.accept(await client.initiate(flags === undefined ? {} : { flags }));
        await client.step(outputToken(result.output));
        return result.context!;
      };
      const buffer = [{ type: SECBUFFER_DATA, data }];

      it('signatures and sealed messages go both ways', async () => {
        context = await established();
        const sizes = queryContextAttributes(context, SECPKG_ATTR_SIZES).value!;
        const signature = outputToken(makeSignature(context, buffer).value!);
        assert.equal(signature.byteLength, sizes.maxSignature);
        await client.verify(data, signature);
        const mic = await client.sign(data);
        assert.equal(verifySignature(context, [...buffer, { type: SECBUFFER_TOKEN, data: mic }]).status, SEC_E_OK);

        const sealed = encryptNow(context, buffer).value!;
        assert.deepEqual(
          sealed.map(({ type }) => type),
          [SECBUFFER_TOKEN, SECBUFFER_DATA],
        );
        assert.equal(sealed[0]!.data.byteLength, sizes.securityTrailer);
        assert.equal(sealed[1]!.data.byteLength, data.byteLength);
        assert.deepEqual(await client.unwrap(Buffer.concat(sealed.map((part) => part.data))), data);
        const wrapped = await client.wrap(data);
        assert.deepEqual(decryptNow(context, [{ type: SECBUFFER_STREAM, data: wrapped }]).value, buffer);
        const second = await client.wrap(data);
        const split = [
          { type: SECBUFFER_TOKEN, data: second.subarray(0, sizes.securityTrailer) },
          { type: SECBUFFER_DATA, data: second.subarray(sizes.securityTrailer) },
        ];
        assert.deepEqual(decryptNow(context, split).value, buffer);
        deleteSecurityContext(context);
      });

      it('the signature is the checksum of RFC 4121 section 4.2.6.1 under the session key', async () => {
        context = await established();
        const key = queryContextAttributes(context, SECPKG_ATTR_SESSION_KEY).value!;
        const signature = outputToken(makeSignature(context, buffer).value!);
        const header = signature.subarray(0, 16);
        // Key usage 23: signature of the acceptor.
        assert.deepEqual(Buffer.from(signature.subarray(16)), checksum(key, 23, Buffer.concat([data, header])));
        deleteSecurityContext(context);
      });

      it('altered, repeated and skipped messages are refused, as are those in the clear', async () => {
        context = await established();
        const mic = await client.sign(data);
        const altered = Buffer.from(data);
        altered[0]! ^= 1;
        const verify = (message: Uint8Array, token: Uint8Array): number =>
          verifySignature(context, [
            { type: SECBUFFER_DATA, data: message },
            { type: SECBUFFER_TOKEN, data: token },
          ]).status;
        // Heimdal looks at the number of a message, which is in the clear, before at the rest: an altered one takes it up.
        const afterAltered = gssapi !== heimdal ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE;
        assert.equal(verify(altered, mic), SEC_E_MESSAGE_ALTERED);
        assert.equal(verify(data, mic), afterAltered);
        const next = await client.sign(data);
        assert.equal(verify(data, next), SEC_E_OK);
        assert.equal(verify(data, next), SEC_E_OUT_OF_SEQUENCE);
        assert.notEqual(verify(data, mic.subarray(0, 20)), SEC_E_OK);
        assert.equal(verify(data, new Uint8Array(0)), SEC_E_INVALID_TOKEN);
        const wrapped = await client.wrap(data);
        wrapped[wrapped.length - 1]! ^= 1;
        const decrypt = (token: Uint8Array): number =>
          decryptNow(context, [{ type: SECBUFFER_STREAM, data: token }]).status;
        assert.equal(decrypt(wrapped), SEC_E_MESSAGE_ALTERED);
        wrapped[wrapped.length - 1]! ^= 1;
        assert.equal(decrypt(wrapped), afterAltered);
        assert.equal(decrypt(await client.wrap(data, false)), SEC_E_MESSAGE_ALTERED);
        await client.wrap(data);
        assert.equal(decrypt(await client.wrap(data)), SEC_E_OUT_OF_SEQUENCE);
        assert.equal(verifySignature(context, buffer).status, SEC_E_INVALID_TOKEN);
        assert.equal(decryptNow(context, []).status, SEC_E_INVALID_TOKEN);
        deleteSecurityContext(context);
      });

      it('a context without confidentiality does not encrypt', async () => {
        // Clients of MIT krb5 always ask for it, so the flag is taken out of the authenticator (RFC 4121 4.1.1.1).
        const key = keytabKey(kdc.keytab, 'HTTP/localhost');
        const open = openApRequest(await client.initiate(), key);
        const content = checksumContent(open.authenticator.get(3)!);
        content.writeUInt32LE(0x2 | 0x20, 20);
        open.authenticator.set(3, checksumField(content));
        const result = await server.accept(sealApRequest(open, key));
        context = result.context!;
        await client.step(outputToken(result.output));
        assert.equal((result.attributes ?? 0) & (ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY), ASC_RET_INTEGRITY);
        assert.equal(encryptNow(context, buffer).status, SEC_E_QOP_NOT_SUPPORTED);
        const stream = [{ type: SECBUFFER_STREAM, data: await client.wrap(data, false) }];
        assert.equal(decryptNow(context, stream).status, SEC_E_QOP_NOT_SUPPORTED);
        assert.equal(makeSignature(context, buffer).status, SEC_E_OK);
        deleteSecurityContext(context);
      });
    });

    describe('D11: channel bindings', () => {
      const own = Buffer.from('tls-server-end-point:of this server');
      const other = Buffer.from('tls-server-end-point:of another server');
      const strict = ASC_REQ_CONNECTION;
      const lenient = ASC_REQ_CONNECTION | ASC_REQ_ALLOW_MISSING_BINDINGS;
      // What the client sends, what the server requires of it, the result, and the result flags (sspi.h).
      const cases = [
        ['the same', own, strict, 'SEC_E_OK', 0x11],
        ['the same', own, lenient, 'SEC_E_OK', 0x11],
        ['other ones', other, strict, 'SEC_E_BAD_BINDINGS', undefined],
        ['other ones', other, lenient, 'SEC_E_BAD_BINDINGS', undefined],
        ['none', undefined, strict, 'SEC_E_BAD_BINDINGS', undefined],
        ['none', undefined, lenient, 'SEC_E_OK', 0x42],
      ] as const;
      for (const [sent, bindings, requirements, expected, flags] of cases) {
        it(`${sent}, missing ones ${requirements === strict ? 'not allowed' : 'allowed'}: ${expected}`, async () => {
          const token = await client.initiate(bindings === undefined ? {} : { bindings });
          const verified = await server.verify(token, { requirements, bindings: encodeChannelBindings(own) });
          assert.equal(verified.status, expected);
          const result = verified.output.find(({ type }) => type === SECBUFFER_CHANNEL_BINDINGS_RESULT);
          assert.equal(result?.data[0], flags);
        });
      }
      it('A12: the caller may overwrite its buffers as soon as the call is made', async () => {
        // While other tokens keep every thread, this one waits for its turn.
        const tokens = await Promise.all(Array.from({ length: 20 }, () => client.initiate({ bindings: own })));
        const verified = tokens.map((token) => {
          const bindings = Buffer.from(encodeChannelBindings(own));
          const result = server.verify(token, { bindings });
          token.fill(0);
          bindings.fill(0);
          return result;
        });
        assert.deepEqual([...new Set((await Promise.all(verified)).map(({ status }) => status))], ['SEC_E_OK']);
      });
      it('bindings that the server does not know of pass', async () => {
        assert.equal((await server.verify(await client.initiate({ bindings: own }))).status, 'SEC_E_OK');
      });
      it('PROXY_BINDINGS, which this library cannot verify, is refused', async () => {
        const { status } = await server.verify(await client.initiate(), { requirements: ASC_REQ_PROXY_BINDINGS });
        assert.equal(status, 'SEC_E_UNSUPPORTED_FUNCTION');
      });
    });

    // Without a library no thread has to wait.
    if (asynchronous && gssapi !== portable)
      it('takes no more at once than it has room for', async () => {
        const token = await client.initiate();
        const verified = await Promise.all(
          Array.from({ length: MAX_WAITING_CALLS + asyncCallLimit + 5 }, () => server.verify(token)),
        );
        const beyond = verified.filter(({ status }) => status === 'SEC_E_INTERNAL_ERROR');
        assert.equal(beyond.length, 5);
        assert.match(beyond[0]?.why ?? '', /1024 tickets are already waiting for the GSSAPI/);
        assert.equal(verified.filter(({ status }) => status === 'SEC_E_OK').length, 1);
        assert.equal((await server.verify(await client.initiate())).status, 'SEC_E_OK');
      });

    it('verifies 200 tokens at once, each its own', async () => {
      const bob = await startGssClient(await kdc.signIn('bob'));
      const tokens: (readonly [string, Buffer])[] = [];
      for (let index = 0; index < 100; index++) {
        tokens.push(['alice', await client.initiate()], ['bob', await bob.initiate()]);
      }
      const verified = await Promise.all(
        tokens.map(async ([user, token]) => ({ user, ...(await server.verify(token)) })),
      );
      for (const { user, status, token } of verified) {
        assert.equal(status, 'SEC_E_OK');
        assert.equal(token?.userName, user);
      }
      await bob[Symbol.asyncDispose]();
    });
  });
}
