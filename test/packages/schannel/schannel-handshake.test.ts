/** Handshakes of Node's own TLS client with the Schannel package, through the contract. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { part, SchannelServer } from './schannel-server.ts';
import { recordsOf, TlsClient } from './tls-client.ts';

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const only = (version: (typeof versions)[number]): Pick<ConnectionOptions, 'minVersion' | 'maxVersion'> => ({
  minVersion: version,
  maxVersion: version,
});
const always =
  Sspi.ASC_RET_CONFIDENTIALITY | Sspi.ASC_RET_REPLAY_DETECT | Sspi.ASC_RET_SEQUENCE_DETECT | Sspi.ASC_RET_STREAM;

describe('a Schannel handshake', () => {
  const server = new SchannelServer(certificates.server);
  after(() => server[Symbol.dispose]());

  for (const version of versions) {
    it(`${version}: two legs, and the attributes that TLS cannot be without`, async () => {
      using established = await server.establish(only(version), Sspi.ASC_REQ_CONNECTION);
      const { last, client } = established;
      assert.equal(last.attributes, always | Sspi.ASC_RET_CONNECTION);
      assert.equal(last.expiry, undefined, 'the client has no certificate');
      assert.equal(client.socket.getProtocol(), version);
      // Tickets in TLS 1.3, ChangeCipherSpec and Finished in TLS 1.2.
      assert.ok(part(last.output, Sspi.SECBUFFER_TOKEN).byteLength > 0);
    });

    it(`F06: ${version}: byte by byte, nothing is consumed until a record is whole`, async () => {
      using client = new TlsClient(only(version));
      let context: Sspi.ContextHandle | undefined;
      let status = -1;
      for (let bytes = await client.next(); status !== Sspi.SEC_E_OK;) {
        let output = Buffer.alloc(0);
        for (const record of recordsOf(bytes)) {
          for (let length = 1; length <= record.byteLength; length++) {
            const result = await server.accept(context, record.subarray(0, length));
            ({ status } = result);
            assert.ok(result.context !== undefined, `${length}: ${Sspi.statusName(status)} ${result.diagnosis?.text}`);
            ({ context } = result);
            if (length < record.byteLength) {
              assert.equal(status, Sspi.SEC_E_INCOMPLETE_MESSAGE);
              assert.equal(result.missing, length < 5 ? 5 - length : record.byteLength - length);
            } else output = Buffer.concat([output, part(result.output, Sspi.SECBUFFER_TOKEN)]);
          }
        }
        bytes = await client.next(output);
      }
      assert.equal(client.secure, true);
      Sspi.deleteSecurityContext(context!);
    });

    it(`${version}: a record and a half are one record, and the half comes back`, async () => {
      using client = new TlsClient(only(version));
      const hello = await client.next();
      const first = await server.accept(undefined, hello);
      const finish = await client.next(part(first.output, Sspi.SECBUFFER_TOKEN));
      const [one] = recordsOf(finish);
      const cut = one!.byteLength + 3;
      const half = await server.accept(first.context, finish.subarray(0, cut));
      assert.equal(Sspi.statusName(half.status), 'SEC_I_CONTINUE_NEEDED');
      assert.equal(part(half.output, Sspi.SECBUFFER_TOKEN).byteLength, 0);
      assert.deepEqual(part(half.output, Sspi.SECBUFFER_EXTRA), finish.subarray(one!.byteLength, cut));
      const last = await server.accept(first.context, finish.subarray(one!.byteLength));
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      Sspi.deleteSecurityContext(last.context!);
    });

    it(`${version}: what follows the last record of the handshake comes back, also without a buffer for it`, async () => {
      using client = new TlsClient(only(version));
      const first = await server.accept(undefined, await client.next());
      const finish = await client.next(part(first.output, Sspi.SECBUFFER_TOKEN));
      // In TLS 1.2 the client waits for the server's Finished: there a record of nobody stands for its data.
      const more = version === 'TLSv1.3' ? await client.send('early bird') : Buffer.from('1703030001ff', 'hex');
      const output = [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.alloc(8192) }];
      const last = await server.accept(first.context, Buffer.concat([finish, more]), 0, { output });
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      assert.deepEqual(part(last.output, Sspi.SECBUFFER_EXTRA), more);
      if (version === 'TLSv1.3') {
        const answer = await Sspi.decryptMessage(last.context!, [{ type: Sspi.SECBUFFER_DATA, data: more }]);
        assert.equal(part(answer.value, Sspi.SECBUFFER_DATA).toString(), 'early bird');
      }
      Sspi.deleteSecurityContext(last.context!);
    });

    it(`F06: ${version}: a handshake is never resumed`, async () => {
      let session: Buffer | undefined;
      for (let round = 0; round < 2; round++) {
        using client = new TlsClient({ ...only(version), ...(session && { session }) });
        client.socket.on('session', (given: Buffer) => (session = given));
        const last = await server.handshake(client);
        assert.equal(Sspi.queryContextAttributes(last.context!, Sspi.SECPKG_ATTR_SESSION_INFO).value?.resumed, false);
        assert.equal(client.socket.isSessionReused(), false);
        session ??= client.socket.getSession();
        Sspi.deleteSecurityContext(last.context!);
      }
    });
  }

  it('with a P-256 certificate and with a PKCS #12 file', async () => {
    using ec = new SchannelServer(certificates.serverEc);
    using overEc = await ec.establish();
    assert.equal(overEc.client.socket.authorized, false);
    using pfx = new SchannelServer({ pfx: Buffer.from(certificates.pfx, 'base64'), passphrase: 'opens' });
    using overPfx = await pfx.establish({ ca: certificates.ca.cert, servername: 'localhost' });
    assert.equal(overPfx.client.socket.authorized, true);
  });

  it('a key share that the server does not take: a HelloRetryRequest, one leg more', async () => {
    const { DEFAULT_ECDH_CURVE } = tls;
    tls.DEFAULT_ECDH_CURVE = 'P-256';
    try {
      using picky = new SchannelServer(certificates.server);
      using client = new TlsClient({ ...only('TLSv1.3'), ecdhCurve: 'X25519:P-256' });
      const retry = await picky.accept(undefined, await client.next());
      const first = await picky.accept(retry.context, await client.next(part(retry.output, Sspi.SECBUFFER_TOKEN)));
      assert.equal(Sspi.statusName(first.status), 'SEC_I_CONTINUE_NEEDED');
      const last = await picky.accept(retry.context, await client.next(part(first.output, Sspi.SECBUFFER_TOKEN)));
      assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
      Sspi.deleteSecurityContext(last.context!);
    } finally {
      tls.DEFAULT_ECDH_CURVE = DEFAULT_ECDH_CURVE;
    }
  });

  it('no input is an incomplete message; an EMPTY buffer with bytes is no token', async () => {
    const empty = await server.accept(undefined, Buffer.alloc(0));
    assert.deepEqual([Sspi.statusName(empty.status), empty.missing], ['SEC_E_INCOMPLETE_MESSAGE', 5]);
    Sspi.deleteSecurityContext(empty.context!);
    const input = [{ type: Sspi.SECBUFFER_EMPTY, data: Buffer.alloc(1) }];
    const full = await server.accept(undefined, Buffer.alloc(0), 0, { input });
    assert.equal(Sspi.statusName(full.status), 'SEC_E_INVALID_TOKEN');
  });

  it('what Schannel does not have is refused at once', async () => {
    for (const requirement of [Sspi.ASC_REQ_DELEGATE, Sspi.ASC_REQ_DATAGRAM, 0x40]) {
      const result = await server.accept(undefined, Buffer.from('16'), requirement);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_UNSUPPORTED_FUNCTION');
    }
  });

  it('many handshakes at a time do not meet', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => server.establish()));
    for (const [index, { client, context }] of all.entries()) {
      const sent = await client.send(`client ${index}`);
      const answer = await Sspi.decryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: sent }]);
      assert.equal(part(answer.value, Sspi.SECBUFFER_DATA).toString(), `client ${index}`);
    }
    for (const established of all) established[Symbol.dispose]();
  });
});
