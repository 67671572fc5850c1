/** Handshakes with the Schannel package that fail, and what nobody should send. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import tls from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { part, SchannelServer } from './schannel-server.ts';
import { recordsOf, TlsClient } from './tls-client.ts';

const server = new SchannelServer({ ...certificates.server, ca: certificates.ca.cert });
const modern = new SchannelServer({ ...certificates.server, minVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256' });
const alpn = new SchannelServer({ ...certificates.server, alpn: ['h2', 'http/1.1'] });
after(() => {
  for (const each of [server, modern, alpn]) each[Symbol.dispose]();
});

const v12: ConnectionOptions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' };
const v13: ConnectionOptions = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' };
const extended = Sspi.ASC_REQ_EXTENDED_ERROR;

it('a handshake that takes longer than Node gives it is SEC_E_CONTEXT_EXPIRED, and no other', async (t) => {
  // The timer of Node keeps no process alive.
  const awake = setInterval(() => undefined, 1000);
  t.after(() => {
    clearInterval(awake);
  });
  const { createServer } = tls;
  const errors: Promise<readonly unknown[]>[] = [];
  t.mock.method(tls, 'createServer', (options: tls.TlsOptions) => {
    // Long enough for a leg on a busy machine: 120 seconds are too long for a test.
    const made = createServer({ ...options, handshakeTimeout: 500 });
    errors.push(once(made, 'tlsClientError'));
    return made;
  });
  using impatient = new SchannelServer({ ...certificates.server, ca: certificates.ca.cert });
  // The second one has a tls.Server of its own, which asks for certificates.
  for (const [index, requirements] of [0, Sspi.ASC_REQ_MUTUAL_AUTH].entries()) {
    using client = new TlsClient(certificates.alice);
    const first = await impatient.accept(undefined, await client.next(), requirements);
    const finish = await client.next(part(first.output, Sspi.SECBUFFER_TOKEN));
    const [error] = (await errors[index]) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ERR_TLS_HANDSHAKE_TIMEOUT');
    // Until what waits for its connection has heard of it.
    await new Promise((resolve) => setImmediate(resolve));
    const late = await impatient.accept(first.context, finish, requirements);
    assert.equal(Sspi.statusName(late.status), 'SEC_E_CONTEXT_EXPIRED');
    assert.match(late.diagnosis?.text ?? '', /longer than Node gives it/);
    assert.deepEqual([late.context, late.output], [undefined, []]);
  }
});

describe('a handshake that fails', () => {
  const rows: readonly (readonly [name: string, SchannelServer, ConnectionOptions, status: string, alert: number])[] = [
    ['a version that is too low', modern, v12, 'SEC_E_UNSUPPORTED_FUNCTION', 70],
    ['no cipher in common', modern, { ...v13, ciphers: 'TLS_AES_256_GCM_SHA384' }, 'SEC_E_ALGORITHM_MISMATCH', 40],
    [
      'no application protocol in common',
      alpn,
      { ALPNProtocols: ['spdy/9'] },
      'SEC_E_APPLICATION_PROTOCOL_MISMATCH',
      120,
    ],
  ];
  for (const [name, at, options, status, alert] of rows) {
    it(`F06: ${name}: ${status}, the alert in its buffer, its record with ASC_REQ_EXTENDED_ERROR`, async () => {
      for (const requirements of [0, extended]) {
        using client = new TlsClient(options);
        const result = await at.accept(undefined, await client.next(), requirements);
        assert.equal(Sspi.statusName(result.status), status, result.diagnosis?.text);
        assert.equal(result.context, undefined);
        assert.deepEqual([...part(result.output, Sspi.SECBUFFER_ALERT)], [2, alert]);
        const record = part(result.output, Sspi.SECBUFFER_TOKEN);
        assert.equal(record.byteLength, requirements === 0 ? 0 : 7);
        if (requirements === 0) continue;
        await client.next(record);
        assert.match(client.error?.code ?? '', /^ERR_SSL_/);
      }
    });
  }

  for (const [version, options] of [
    ['TLS 1.2', v12],
    ['TLS 1.3', v13],
  ] as const) {
    it(`${version}: an alert of the client in the handshake ends it, with the status of the alert`, async () => {
      for (const [description, status] of [
        [48, 'SEC_E_UNTRUSTED_ROOT'],
        [42, 'SEC_E_CERT_UNKNOWN'],
        [46, 'SEC_E_CERT_UNKNOWN'],
        [45, 'SEC_E_CERT_EXPIRED'],
        [40, 'SEC_E_ALGORITHM_MISMATCH'],
        [51, 'SEC_E_DECRYPT_FAILURE'],
        [80, 'SEC_E_INTERNAL_ERROR'],
        [10, 'SEC_E_INVALID_TOKEN'],
      ] as const) {
        using client = new TlsClient(options);
        const first = await server.accept(undefined, await client.next());
        const result = await server.accept(first.context, Buffer.of(21, 3, 3, 0, 2, 2, description));
        assert.equal(Sspi.statusName(result.status), status, result.diagnosis?.text);
        assert.equal(result.context, undefined);
      }
    });

    it(`${version}: no changed byte of the last leg gives a context`, async () => {
      using whole = new TlsClient(options);
      const sample = await server.accept(undefined, await whole.next());
      const { byteLength } = await whole.next(part(sample.output, Sspi.SECBUFFER_TOKEN));
      Sspi.deleteSecurityContext(sample.context!);
      for (let at = 0; at < byteLength; at += 3) {
        using client = new TlsClient(options);
        const first = await server.accept(undefined, await client.next());
        const finish = await client.next(part(first.output, Sspi.SECBUFFER_TOKEN));
        const index = Math.min(at, finish.byteLength - 1);
        finish[index] = finish[index]! ^ 0x40;
        const result = await server.accept(first.context, finish, extended);
        // The minor version of a record, the byte of a ChangeCipherSpec in TLS 1.3: nobody verifies some of them.
        if (result.status === Sspi.SEC_E_OK) {
          assert.ok(inPlaintext(finish, index), `byte ${index} of ${finish.toString('hex')}`);
        }
        if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      }
    });
  }

  it('two that fail in one turn have each their own status', async () => {
    using older = new TlsClient(v12);
    using other = new TlsClient({ ...v13, ciphers: 'TLS_AES_256_GCM_SHA384' });
    const [a, b] = await Promise.all([
      modern.accept(undefined, await older.next()),
      modern.accept(undefined, await other.next()),
    ]);
    assert.match(a.diagnosis?.text ?? '', /UNSUPPORTED_PROTOCOL/);
    assert.match(b.diagnosis?.text ?? '', /NO_SHARED_CIPHER/);
  });
});

/** Whether a byte lies in a record header or in a record that is not encrypted. */
function inPlaintext(bytes: Buffer, index: number): boolean {
  let start = 0;
  for (const record of recordsOf(bytes)) {
    const inside = index - start;
    if (inside < record.byteLength) return inside < 3 || record[0] === 20;
    start += record.byteLength;
  }
  return false;
}

describe('what is not TLS', () => {
  for (const [name, bytes] of [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['one letter of HTTP', Buffer.from('G')],
    ['SSL 2', Buffer.from('802e0100020015000000100100800200800300800400800500800600400700c0', 'hex')],
    ['another major version', Buffer.from('160403', 'hex')],
    ['a record of 64 KiB', Buffer.from('160303ffff', 'hex')],
    ['zeros', Buffer.alloc(64)],
  ] as const) {
    it(`F06: ${name} is SEC_E_INVALID_TOKEN at once`, async () => {
      const result = await server.accept(undefined, bytes, extended);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_INVALID_TOKEN');
      assert.match(result.diagnosis?.text ?? '', /^not TLS: /);
      assert.deepEqual([result.context, result.output], [undefined, []]);
    });
  }

  it('a record of garbage is refused with an alert', async () => {
    for (const bytes of [
      '16030100050100000100',
      '1603030004deadbeef',
      '1703030004deadbeef',
      '1403030001ff',
      '160303000100',
    ]) {
      const result = await server.accept(undefined, Buffer.from(bytes, 'hex'), extended);
      if (result.context !== undefined) {
        // Half a message of the handshake: more may come.
        assert.equal(result.status, Sspi.SEC_I_CONTINUE_NEEDED);
        Sspi.deleteSecurityContext(result.context);
        continue;
      }
      assert.ok(result.status >= 0x80000000, bytes);
    }
  });

  it('garbage behind a whole record', async () => {
    using client = new TlsClient();
    const first = await server.accept(undefined, Buffer.concat([await client.next(), Buffer.from('garbage')]));
    assert.equal(Sspi.statusName(first.status), 'SEC_E_INVALID_TOKEN');
    assert.equal(first.context, undefined);
  });
});

describe('a client certificate (ASC_REQ_MUTUAL_AUTH)', () => {
  const mutual = Sspi.ASC_REQ_MUTUAL_AUTH | extended;

  for (const [version, options] of [
    ['TLS 1.2', v12],
    ['TLS 1.3', v13],
  ] as const) {
    it(`${version}: of an authority in ca is granted, with its end as expiry`, async () => {
      using established = await server.establish({ ...options, ...certificates.alice }, mutual);
      assert.notEqual(established.last.attributes! & Sspi.ASC_RET_MUTUAL_AUTH, 0);
      assert.ok(established.last.expiry! > new Date('2100-01-01'));
      const remote = Sspi.queryContextAttributes(established.context, Sspi.SECPKG_ATTR_REMOTE_CERT_CONTEXT);
      assert.ok(certificates.alice.cert.replaceAll('\n', '').includes(Buffer.from(remote.value!).toString('base64')));
      assert.equal(Sspi.querySecurityContextToken(established.context).status, Sspi.SEC_E_NO_IMPERSONATION);
    });

    for (const [name, certificate, alert, cause] of [
      ['none', {}, version === 'TLS 1.2' ? 40 : undefined, /PEER_DID_NOT_RETURN_A_CERTIFICATE/],
      ['of another authority', certificates.stranger, version === 'TLS 1.2' ? 48 : undefined, /: UNABLE_TO_VERIFY/],
      ['expired', certificates.expired, version === 'TLS 1.2' ? 48 : undefined, /not valid now: CERT_HAS_EXPIRED$/],
    ] as const) {
      it(`${version}: ${name} is SEC_E_LOGON_DENIED`, async () => {
        using client = new TlsClient({ ...options, ...certificate });
        const first = await server.accept(undefined, await client.next(), mutual);
        const finish = await client.next(part(first.output, Sspi.SECBUFFER_TOKEN));
        const result = await server.accept(first.context, finish, mutual);
        assert.equal(Sspi.statusName(result.status), 'SEC_E_LOGON_DENIED', result.diagnosis?.text);
        assert.match(result.diagnosis?.text ?? '', cause);
        assert.equal(result.context, undefined);
        if (alert !== undefined) assert.deepEqual([...part(result.output, Sspi.SECBUFFER_ALERT)], [2, alert]);
        const record = part(result.output, Sspi.SECBUFFER_TOKEN);
        if (version === 'TLS 1.2' || name === 'none') {
          await client.next(record);
          assert.match(client.error?.code ?? '', /ALERT/);
        } else assert.equal(record.byteLength, 0, 'nobody but TLS could encrypt the alert');
      });
    }
  }

  it('gives each of many clients at once its own reason', async () => {
    const kinds = [
      [certificates.expired, /CERT_HAS_EXPIRED$/],
      [certificates.stranger, /UNABLE_TO_VERIFY_LEAF_SIGNATURE$/],
      [{}, /PEER_DID_NOT_RETURN_A_CERTIFICATE$/],
    ] as const;
    const handshakes = Array.from({ length: 12 }, async (_, index) => {
      const [certificate, cause] = kinds[index % kinds.length]!;
      using client = new TlsClient({ ...(index % 2 === 0 ? v12 : v13), ...certificate });
      const result = await server.handshake(client, mutual);
      assert.match(result.diagnosis?.text ?? '', cause);
    });
    await Promise.all(handshakes);
  });

  it('is not asked for without the requirement', async () => {
    using established = await server.establish(certificates.alice);
    assert.equal(established.last.attributes! & Sspi.ASC_RET_MUTUAL_AUTH, 0);
    const { status } = Sspi.queryContextAttributes(established.context, Sspi.SECPKG_ATTR_REMOTE_CERT_CONTEXT);
    assert.equal(Sspi.statusName(status), 'SEC_E_NO_CREDENTIALS');
  });

  it('needs ca, so that no public authority vouches for a client', async () => {
    using without = new SchannelServer(certificates.server);
    const result = await without.accept(undefined, Buffer.from('16', 'hex'), mutual);
    assert.equal(Sspi.statusName(result.status), 'SEC_E_UNSUPPORTED_FUNCTION');
    assert.match(result.diagnosis!.text!, /authData\.ca/);
  });

  it('with manualCredentialValidation is for the caller to judge, and is not granted', async () => {
    using manual = new SchannelServer({
      ...certificates.server,
      manualCredentialValidation: true,
      mapCertificate: () => ({ userName: 'never asked' }),
    });
    for (const options of [v12, v13]) {
      using established = await manual.establish({ ...options, ...certificates.stranger }, mutual);
      assert.equal(established.last.attributes! & Sspi.ASC_RET_MUTUAL_AUTH, 0);
      const remote = Sspi.queryContextAttributes(established.context, Sspi.SECPKG_ATTR_REMOTE_CERT_CONTEXT);
      assert.ok(remote.value !== undefined);
      assert.equal(Sspi.querySecurityContextToken(established.context).status, Sspi.SEC_E_NO_IMPERSONATION);
      using client = new TlsClient(options);
      const result = await manual.handshake(client, mutual);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_LOGON_DENIED', 'a certificate is required all the same');
    }
  });
});
