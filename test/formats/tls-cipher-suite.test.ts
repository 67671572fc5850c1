import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tlsCipherSuite, tlsRecordOverhead } from '../../src/formats/tls-cipher-suite.ts';

describe('names of cipher suites', () => {
  it('are taken apart', () => {
    for (const [name, ...parts] of [
      ['TLS_AES_128_GCM_SHA256', '', 'AES', 128, 'GCM', 'SHA256'],
      ['TLS_AES_256_GCM_SHA384', '', 'AES', 256, 'GCM', 'SHA384'],
      ['TLS_CHACHA20_POLY1305_SHA256', '', 'CHACHA20', 256, 'POLY1305', 'SHA256'],
      ['TLS_AES_128_CCM_8_SHA256', '', 'AES', 128, 'CCM_8', 'SHA256'],
      ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'ECDHE', 'AES', 128, 'GCM', 'SHA256'],
      ['TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 'ECDHE', 'CHACHA20', 256, 'POLY1305', 'SHA256'],
      ['TLS_DHE_RSA_WITH_AES_256_CCM', 'DHE', 'AES', 256, 'CCM', 'SHA256'],
      ['TLS_RSA_WITH_AES_128_CBC_SHA', 'RSA', 'AES', 128, 'CBC', 'SHA'],
      ['TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384', 'ECDHE', 'CAMELLIA', 256, 'CBC', 'SHA384'],
    ] as const) {
      const suite = tlsCipherSuite(name);
      assert.deepEqual(suite && Object.values(suite), parts, name);
    }
    assert.equal(tlsCipherSuite('TLS_NULL_WITH_NULL_NULL'), undefined);
  });

  it('say what a record adds', () => {
    const overhead = (name: string, tls13: boolean): readonly number[] => {
      const { header, trailer, blockSize } = tlsRecordOverhead(tlsCipherSuite(name)!, tls13);
      return [header, trailer, blockSize];
    };
    assert.deepEqual(overhead('TLS_AES_128_GCM_SHA256', true), [5, 17, 1]);
    assert.deepEqual(overhead('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', false), [13, 16, 1]);
    assert.deepEqual(overhead('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', false), [5, 16, 1]);
    assert.deepEqual(overhead('TLS_RSA_WITH_AES_128_CBC_SHA', false), [21, 36, 16]);
  });
});
