/** Messages over an established Schannel context, its end, and its attributes. */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { decodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { data, part, SchannelServer, token } from './schannel-server.ts';
import { recordsOf } from './tls-client.ts';

const server = new SchannelServer({ ...certificates.server, alpn: ['h2', 'http/1.1'] });
after(() => server[Symbol.dispose]());

const shutdown = [token(Uint8Array.of(Sspi.SCHANNEL_SHUTDOWN, 0, 0, 0))];
const only = (version: 'TLSv1.2' | 'TLSv1.3', ciphers?: string): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
  ...(ciphers === undefined ? {} : { ciphers }),
});
const named = async (
  answer: Sspi.MessageAnswer | Promise<Sspi.MessageAnswer>,
): Promise<Sspi.MessageAnswer & { readonly name: string }> => {
  const settled = await answer;
  return { ...settled, name: Sspi.statusName(settled.status) };
};

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`messages over ${version}`, () => {
    it('go both ways; a message that has its bytes is there at once', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      for (const size of [1, 100, 16384]) {
        const text = 'x'.repeat(size);
        const opened = Sspi.decryptMessage(context, [data(await client.send(text))]);
        assert.ok(!(opened instanceof Promise));
        assert.equal(part(opened.value, Sspi.SECBUFFER_DATA).toString(), text);
        const sealed = Sspi.encryptMessage(context, [data(text.slice(1)), data('y')]);
        assert.ok(!(sealed instanceof Promise), 'the first of a turn');
        client.received.length = 0;
        await client.next(part(sealed.value, Sspi.SECBUFFER_TOKEN));
        assert.equal(client.text, `${text.slice(1)}y`);
      }
    });

    it('two in one turn: the second answers a promise, and the context is in use', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      const first = await named(Sspi.encryptMessage(context, [data('one ')]));
      const [a, bytes] = [Sspi.encryptMessage(context, [data('two ')]), Buffer.from('three')];
      const b = Sspi.encryptMessage(context, [data(bytes)]);
      bytes.fill(0);
      assert.ok(a instanceof Promise || b instanceof Promise);
      const sealed = [first, await a, await b];
      for (const { value } of sealed) await client.next(part(value, Sspi.SECBUFFER_TOKEN));
      assert.match(client.text, /^one two (three)?$/);
      const again = await named(Sspi.encryptMessage(context, [data('!')]));
      await client.next(part(again.value, Sspi.SECBUFFER_TOKEN));
      assert.match(client.text, /!$/);
    });

    it('one record a call: what follows comes back, what is cut off waits', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      const sent = Buffer.concat([await client.send('first'), await client.send('second')]);
      const one = await named(Sspi.decryptMessage(context, [data(sent)]));
      assert.equal(part(one.value, Sspi.SECBUFFER_DATA).toString(), 'first');
      const extra = part(one.value, Sspi.SECBUFFER_EXTRA);
      for (let length = 0; length < extra.byteLength; length++) {
        const cut = await named(Sspi.decryptMessage(context, [data(extra.subarray(0, length))]));
        assert.equal(cut.name, 'SEC_E_INCOMPLETE_MESSAGE');
        assert.equal(cut.missing, length < 5 ? 5 - length : extra.byteLength - length);
      }
      const two = await named(Sspi.decryptMessage(context, [token(extra)]));
      assert.equal(part(two.value, Sspi.SECBUFFER_DATA).toString(), 'second');
      assert.equal(two.value!.length, 1);
    });

    it('in parts where the caller gives a STREAM_HEADER, as SECPKG_ATTR_STREAM_SIZES says', async () => {
      const suites =
        version === 'TLSv1.3'
          ? ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']
          : [
              'ECDHE-RSA-AES128-GCM-SHA256',
              'ECDHE-RSA-CHACHA20-POLY1305',
              'ECDHE-RSA-AES256-SHA384',
              'ECDHE-RSA-AES128-SHA',
            ];
      for (const suite of suites) {
        using established = await server.establish(only(version, suite));
        const { client, context } = established;
        const sizes = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_STREAM_SIZES).value!;
        assert.deepEqual([sizes.maximumMessage, sizes.buffers], [16384, 4]);
        for (const length of [1, 16, 1000, 16384]) {
          const header = { type: Sspi.SECBUFFER_STREAM_HEADER, data: new Uint8Array(0) };
          const sealed = await named(Sspi.encryptMessage(context, [header, data(Buffer.alloc(length, 'z'))]));
          const types = sealed.value!.map(({ type }) => type);
          assert.deepEqual(types, [Sspi.SECBUFFER_STREAM_HEADER, Sspi.SECBUFFER_DATA, Sspi.SECBUFFER_STREAM_TRAILER]);
          const [first, middle, last] = sealed.value!.map((buffer) => buffer.data.byteLength);
          assert.deepEqual([first, middle], [sizes.header, length], suite);
          assert.ok(last! > 0 && last! <= sizes.trailer, `${suite}: ${last} of ${sizes.trailer}`);
          client.received.length = 0;
          await client.next(Buffer.concat(sealed.value!.map((buffer) => buffer.data)));
          assert.equal(client.text.length, length);
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    });

    it('too long is SEC_E_BUFFER_TOO_SMALL, without DATA SEC_E_INVALID_TOKEN, empty is no record', async () => {
      using established = await server.establish(only(version));
      const { context } = established;
      const long = await named(Sspi.encryptMessage(context, [data(Buffer.alloc(16385))]));
      assert.equal(long.name, 'SEC_E_BUFFER_TOO_SMALL');
      assert.equal((await named(Sspi.encryptMessage(context, []))).name, 'SEC_E_INVALID_TOKEN');
      assert.equal((await named(Sspi.decryptMessage(context, []))).name, 'SEC_E_INVALID_TOKEN');
      assert.deepEqual(await Sspi.encryptMessage(context, [data('')]), { status: Sspi.SEC_E_OK, value: [] });
    });

    it('a changed byte is SEC_E_MESSAGE_ALTERED with an alert to send, and the end', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      const sent = await client.send('attack at dawn');
      sent[sent.byteLength - 1] = sent[sent.byteLength - 1]! ^ 1;
      const altered = await named(Sspi.decryptMessage(context, [data(sent)]));
      assert.equal(altered.name, 'SEC_E_MESSAGE_ALTERED');
      assert.equal(part(altered.value, Sspi.SECBUFFER_DATA).byteLength, 0);
      await client.next(part(altered.value, Sspi.SECBUFFER_TOKEN));
      assert.match(client.error?.code ?? '', /BAD_RECORD_MAC/);
      assert.equal((await named(Sspi.decryptMessage(context, [data(sent)]))).name, 'SEC_E_CONTEXT_EXPIRED');
      assert.equal((await named(Sspi.encryptMessage(context, [data('x')]))).name, 'SEC_E_CONTEXT_EXPIRED');
    });

    it('repeated, swapped or no TLS: never data', async () => {
      for (const attack of ['repeated', 'swapped', 'text'] as const) {
        using established = await server.establish(only(version));
        const { client, context } = established;
        const [one, two] = [await client.send('one'), await client.send('two')];
        if (attack === 'repeated') await Sspi.decryptMessage(context, [data(one)]);
        const bytes = { repeated: one, swapped: two, text: Buffer.from('GET / HTTP/1.1') }[attack];
        const answer = await named(Sspi.decryptMessage(context, [data(bytes)]));
        assert.equal(answer.name, attack === 'text' ? 'SEC_E_INVALID_TOKEN' : 'SEC_E_MESSAGE_ALTERED');
        assert.equal(Sspi.findBuffer(answer.value ?? [], Sspi.SECBUFFER_DATA), undefined);
      }
    });

    it('the client closes: SEC_I_CONTEXT_EXPIRED; the server closes: ApplyControlToken and an empty leg', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      assert.equal(Sspi.applyControlToken(context, shutdown), Sspi.SEC_E_OK);
      const end = await server.accept(context, Buffer.alloc(0));
      assert.equal(Sspi.statusName(end.status), 'SEC_E_OK');
      const notify = part(end.output, Sspi.SECBUFFER_TOKEN);
      assert.equal(recordsOf(notify).length, 1);
      assert.equal((await named(Sspi.encryptMessage(context, [data('x')]))).name, 'SEC_E_CONTEXT_EXPIRED');
      assert.equal(Sspi.applyControlToken(context, shutdown), Sspi.SEC_E_CONTEXT_EXPIRED);
      await client.next(notify);
      assert.equal(client.ended, true);
      client.socket.end();
      const closed = await named(Sspi.decryptMessage(context, [data(await client.next())]));
      assert.equal(closed.name, 'SEC_I_CONTEXT_EXPIRED');
      assert.equal((await named(Sspi.decryptMessage(context, [data('x')]))).name, 'SEC_E_CONTEXT_EXPIRED');
    });

    it('F06: a second leg is no second handshake', async () => {
      using established = await server.establish(only(version));
      const result = await server.accept(established.context, await established.client.send('x'));
      assert.equal(Sspi.statusName(result.status), 'SEC_E_UNSUPPORTED_FUNCTION');
      assert.equal(result.context, undefined);
    });

    it('attributes say what Node says', async () => {
      using established = await server.establish({ ...only(version), ALPNProtocols: ['http/1.1'] });
      const { client, context } = established;
      const read = <A extends Sspi.ContextAttribute>(attribute: A): Sspi.ContextAttributeValues[A] => {
        const answer = Sspi.queryContextAttributes(context, attribute);
        assert.equal(Sspi.statusName(answer.status), 'SEC_E_OK', String(attribute));
        return answer.value!;
      };
      const der = new X509Certificate(certificates.server.cert).raw;
      assert.deepEqual(Buffer.from(read(Sspi.SECPKG_ATTR_LOCAL_CERT_CONTEXT)), der);
      assert.deepEqual(read(Sspi.SECPKG_ATTR_APPLICATION_PROTOCOL), { status: 1, extension: 2, protocol: 'http/1.1' });
      const { protocol, cipherSuite } = read(Sspi.SECPKG_ATTR_CIPHER_INFO);
      assert.equal(protocol, version === 'TLSv1.3' ? 0x304 : 0x303);
      assert.equal(cipherSuite, client.socket.getCipher().standardName);
      const connection = read(Sspi.SECPKG_ATTR_CONNECTION_INFO);
      assert.equal(connection.protocol, version === 'TLSv1.3' ? 0x1000 : 0x400);
      assert.equal(connection.exchange, 0xae06);
      assert.equal(read(Sspi.SECPKG_ATTR_PACKAGE_INFO).name, 'Schannel');
      assert.equal(read(Sspi.SECPKG_ATTR_FLAGS), established.last.attributes);
      assert.equal(read(Sspi.SECPKG_ATTR_LIFESPAN).expiry, undefined);
      assert.ok(read(Sspi.SECPKG_ATTR_SIZES).securityTrailer > 20);
      assert.equal(read(Sspi.SECPKG_ATTR_NEGOTIATION_INFO).package.name, 'Schannel');
      assert.equal(Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NAMES).status, Sspi.SEC_E_NO_CREDENTIALS);
      assert.equal(
        Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_SESSION_KEY).status,
        Sspi.SEC_E_UNSUPPORTED_FUNCTION,
      );
      const hash = createHash('sha256').update(der).digest();
      const endPoint = decodeChannelBindings(read(Sspi.SECPKG_ATTR_ENDPOINT_BINDINGS)).applicationData;
      assert.deepEqual(Buffer.from(endPoint), Buffer.concat([Buffer.from('tls-server-end-point:'), hash]));
      const unique = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_UNIQUE_BINDINGS);
      if (version === 'TLSv1.3') assert.equal(unique.status, Sspi.SEC_E_UNSUPPORTED_FUNCTION);
      else {
        const { applicationData } = decodeChannelBindings(unique.value!);
        const finished = client.socket.getFinished()!;
        assert.deepEqual(Buffer.from(applicationData), Buffer.concat([Buffer.from('tls-unique:'), finished]));
      }
    });

    it('keying material is the same at both ends (C12: tls-exporter)', async () => {
      using established = await server.establish(only(version));
      const { client, context } = established;
      const material = (): Sspi.Answer<Uint8Array> =>
        Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_KEYING_MATERIAL);
      const set = (info: Sspi.KeyingMaterialInfo): number =>
        Sspi.setContextAttributes(context, Sspi.SECPKG_ATTR_KEYING_MATERIAL_INFO, info);
      assert.equal(material().status, Sspi.SEC_E_INVALID_PARAMETER);
      const label = 'EXPORTER-Channel-Binding';
      assert.equal(set({ label, length: 0 }), Sspi.SEC_E_INVALID_PARAMETER);
      assert.equal(set({ label: '', length: 32 }), Sspi.SEC_E_INVALID_PARAMETER);
      for (const use of [new Uint8Array(0), Buffer.from('a context'), undefined]) {
        assert.equal(set({ label, length: 32, context: use }), Sspi.SEC_E_OK);
        const own = client.socket.exportKeyingMaterial(
          32,
          label,
          use === undefined ? (use as never) : Buffer.from(use),
        );
        assert.deepEqual(Buffer.from(material().value!), own);
      }
    });
  });
}

describe('control tokens', () => {
  it('that make no sense are refused', async () => {
    using established = await server.establish();
    const apply = (...bytes: number[]): string =>
      Sspi.statusName(Sspi.applyControlToken(established.context, [token(Uint8Array.from(bytes))]));
    assert.equal(apply(Sspi.SCHANNEL_RENEGOTIATE, 0, 0, 0), 'SEC_E_UNSUPPORTED_FUNCTION');
    assert.equal(apply(9, 0, 0, 0), 'SEC_E_UNSUPPORTED_FUNCTION');
    assert.equal(apply(1, 0, 0), 'SEC_E_INVALID_PARAMETER');
    assert.equal(apply(2, 0, 0, 0), 'SEC_E_INVALID_PARAMETER');
    assert.equal(apply(2, 0, 0, 0, 2, 0, 0, 0, 40, 0, 0, 0), 'SEC_E_UNSUPPORTED_FUNCTION');
    assert.equal(Sspi.applyControlToken(established.context, []), Sspi.SEC_E_INVALID_PARAMETER);
  });

  it('an alert of the server’s choice while nothing is encrypted', async () => {
    const begun = await server.accept(undefined, Buffer.alloc(0));
    const input = [token(Uint8Array.of(Sspi.SCHANNEL_ALERT, 0, 0, 0, 2, 0, 0, 0, 49, 0, 0, 0))];
    assert.equal(Sspi.applyControlToken(begun.context!, input), Sspi.SEC_E_OK);
    const end = await server.accept(begun.context, Buffer.alloc(0));
    assert.equal(Sspi.statusName(end.status), 'SEC_I_CONTEXT_EXPIRED');
    assert.deepEqual([...part(end.output, Sspi.SECBUFFER_TOKEN)], [21, 3, 3, 0, 2, 2, 49]);
  });
});
