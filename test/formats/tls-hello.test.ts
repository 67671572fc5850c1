import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isClientHello, isHelloRetryRequest } from '../../src/formats/tls-hello.ts';
import { TlsClient } from '../packages/schannel/tls-client.ts';

describe('the messages that begin a TLS handshake', () => {
  it('are told by their first bytes', async () => {
    using client = new TlsClient();
    const hello = await client.next();
    assert.equal(isClientHello(hello), true);
    assert.equal(isHelloRetryRequest(hello), false);
    for (const bytes of ['', '16', '1603010005', '160301000502', '170301000501', '150303000202']) {
      assert.equal(isClientHello(Buffer.from(bytes, 'hex')), false, bytes);
      assert.equal(isHelloRetryRequest(Buffer.from(bytes, 'hex')), false, bytes);
    }
  });

  it('have a HelloRetryRequest, which is a ServerHello with one random (RFC 8446 section 4.1.3)', () => {
    const random = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';
    const hello = (value: string): Buffer => Buffer.from(`160303005802000054 0303${value}00`.replace(' ', ''), 'hex');
    assert.equal(isHelloRetryRequest(hello(random)), true);
    assert.equal(isHelloRetryRequest(hello(random.replace('cf', 'ce'))), false);
    assert.equal(isClientHello(hello(random)), false);
  });
});
