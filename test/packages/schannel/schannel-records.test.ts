/** Records that TLS does not write, a second handshake of the client, and the parts of a suite of CBC. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { encryptRecord } from '../../../src/packages/schannel/schannel-messages.ts';
import type { TlsEngine } from '../../../src/packages/schannel/tls-engine.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { data, SchannelServer } from './schannel-server.ts';

const cbc = 'ECDHE-RSA-AES128-SHA:@SECLEVEL=0';
const server = new SchannelServer({ ...certificates.server, ciphers: `${cbc}:ECDHE-RSA-AES128-GCM-SHA256` });
after(() => server[Symbol.dispose]());
const tls12 = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

describe('encryptMessage of Schannel', () => {
  const engine = (failed: boolean, record: Buffer): TlsEngine =>
    ({ failed, write: () => record }) as Partial<TlsEngine> as TlsEngine;

  it('says that the context has ended where TLS writes no record', async () => {
    for (const ended of [engine(false, Buffer.alloc(0)), engine(true, Buffer.alloc(1))]) {
      const answer = await encryptRecord(ended, [data('x')]);
      assert.deepEqual([Sspi.statusName(answer.status), answer.value], ['SEC_E_CONTEXT_EXPIRED', undefined]);
    }
    const { status, value } = await encryptRecord(engine(false, Buffer.alloc(1)), [data('x')]);
    assert.deepEqual([Sspi.statusName(status), value?.length], ['SEC_E_OK', 1]);
  });
});

describe('a client of TLS 1.2', () => {
  it('that begins a second handshake is refused, and the context goes on', async () => {
    using established = await server.establish(tls12);
    const { client, context } = established;
    client.socket.renegotiate({ rejectUnauthorized: false }, () => undefined);
    const answer = await Sspi.decryptMessage(context, [data(await client.next())]);
    assert.equal(Sspi.statusName(answer.status), 'SEC_I_RENEGOTIATE');
    assert.ok((Sspi.findBuffer(answer.value ?? [], Sspi.SECBUFFER_TOKEN)?.data.byteLength ?? 0) > 0, 'the warning');
  });

  it('with a suite of CBC has the strength of its hash', async () => {
    using established = await server.establish({ ...tls12, ciphers: cbc });
    const { value } = Sspi.queryContextAttributes(established.context, Sspi.SECPKG_ATTR_CONNECTION_INFO);
    assert.deepEqual(value, {
      ...{ protocol: 0x400, cipher: 0x660e, cipherStrength: 128 },
      ...{ hash: 0x8004, hashStrength: 160, exchange: 0xae06, exchangeStrength: 0 },
    });
  });
});
