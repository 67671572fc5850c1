/** Statuses of alerts and of errors of OpenSSL (RFC 8446 section 6). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { schannelPackageInfo } from '../../../src/packages/schannel/schannel-package-info.ts';
import { alertOf, handshakeFailure, recordStatus } from '../../../src/packages/schannel/tls-failure.ts';
import { statusName } from '../../../src/sspi/index.ts';

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('a failure of TLS', () => {
  const received: readonly (readonly [name: string, alert: number, handshake: string, record: string])[] = [
    ['UNEXPECTED_MESSAGE', 10, 'SEC_E_INVALID_TOKEN', 'SEC_E_ILLEGAL_MESSAGE'],
    ['BAD_RECORD_MAC', 20, 'SEC_E_DECRYPT_FAILURE', 'SEC_E_MESSAGE_ALTERED'],
    ['HANDSHAKE_FAILURE', 40, 'SEC_E_ALGORITHM_MISMATCH', 'SEC_E_ALGORITHM_MISMATCH'],
    ['BAD_CERTIFICATE', 42, 'SEC_E_CERT_UNKNOWN', 'SEC_E_CERT_UNKNOWN'],
    ['CERTIFICATE_EXPIRED', 45, 'SEC_E_CERT_EXPIRED', 'SEC_E_CERT_EXPIRED'],
    ['CERTIFICATE_UNKNOWN', 46, 'SEC_E_CERT_UNKNOWN', 'SEC_E_CERT_UNKNOWN'],
    ['ILLEGAL_PARAMETER', 47, 'SEC_E_INVALID_TOKEN', 'SEC_E_ILLEGAL_MESSAGE'],
    ['UNKNOWN_CA', 48, 'SEC_E_UNTRUSTED_ROOT', 'SEC_E_UNTRUSTED_ROOT'],
    ['DECODE_ERROR', 50, 'SEC_E_INVALID_TOKEN', 'SEC_E_ILLEGAL_MESSAGE'],
    ['DECRYPT_ERROR', 51, 'SEC_E_DECRYPT_FAILURE', 'SEC_E_DECRYPT_FAILURE'],
    ['PROTOCOL_VERSION', 70, 'SEC_E_UNSUPPORTED_FUNCTION', 'SEC_E_UNSUPPORTED_FUNCTION'],
    ['INTERNAL_ERROR', 80, 'SEC_E_INTERNAL_ERROR', 'SEC_E_INTERNAL_ERROR'],
    ['CERTIFICATE_REQUIRED', 116, 'SEC_E_LOGON_DENIED', 'SEC_E_LOGON_DENIED'],
    ['NO_APPLICATION_PROTOCOL', 120, 'SEC_E_APPLICATION_PROTOCOL_MISMATCH', 'SEC_E_APPLICATION_PROTOCOL_MISMATCH'],
  ];
  for (const [name, alert, handshake, record] of received) {
    it(`alert ${name} of a client: ${handshake}; after the handshake ${record}`, () => {
      for (const code of [`ERR_SSL_TLSV1_ALERT_${name}`, `ERR_SSL_SSLV3_ALERT_${name}`]) {
        const error = withCode(code);
        assert.equal(alertOf(error), alert);
        assert.equal(statusName(handshakeFailure(new Uint8Array(0), error).status), handshake);
        assert.equal(statusName(recordStatus(error)), record);
      }
    });
  }

  it('without a code that anybody knows is a broken token, or an altered message', () => {
    for (const error of [undefined, new Error('x'), withCode('ECONNRESET')]) {
      assert.equal(alertOf(error), undefined);
      assert.equal(statusName(handshakeFailure(new Uint8Array(0), error).status), 'SEC_E_INVALID_TOKEN');
      assert.equal(statusName(recordStatus(error)), 'SEC_E_MESSAGE_ALTERED');
    }
  });
});

describe('SecPkgInfo of Schannel', () => {
  it('has the values of Windows', () => {
    const { comment, ...values } = schannelPackageInfo;
    assert.ok(comment.length > 0);
    assert.deepEqual(values, { name: 'Schannel', capabilities: 0x107b3, version: 1, rpcId: 14, maxToken: 24576 });
  });
});
