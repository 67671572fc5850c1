/** Which bindings a connection has and what each mode asks a package for; what clients make of it is in tls.live.test.ts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { decodeChannelBindings } from '../../src/formats/channel-bindings.ts';
import { channelBindingsOf } from '../../src/http/channel-bindings.ts';
import * as Sspi from '../../src/sspi/index.ts';
import {
  assertBare401,
  FakeSocket,
  first,
  later,
  scripted,
  usualScript,
} from '../authenticator/scripted-authenticator.ts';

/** As much of a certificate as is looked at: an empty tbsCertificate and a signature algorithm. */
function certificate(algorithm: string, serial = ''): Buffer {
  const element = (tag: number, content: Buffer): Buffer => Buffer.concat([Buffer.of(tag, content.length), content]);
  const identifier = element(0x30, element(0x06, Buffer.from(algorithm, 'hex')));
  return element(0x30, Buffer.concat([element(0x30, Buffer.from(serial)), identifier]));
}

const algorithms = { md5: '2a864886f70d010104', sha1: '2a864886f70d010105', sha384: '2a864886f70d01010c' };
const ed25519 = '2b6570';
/** id-ecdsa-with-sha3-256 and id-rsassa-pkcs1-v1-5-with-sha3-256 of NIST. */
const sha3 = ['60864801650304030a', '60864801650304030e'];

/** A connection on which the server showed something; `answer` is what Node's getCertificate gives. */
function tlsSocket(answer: unknown): FakeSocket {
  return Object.assign(new FakeSocket(), { encrypted: true, getCertificate: () => answer });
}

function applicationData(bindings: Uint8Array | undefined): string | undefined {
  return bindings && Buffer.from(decodeChannelBindings(bindings).applicationData).toString('latin1');
}

function expected(raw: Buffer, hash: string): string {
  return `tls-server-end-point:${createHash(hash).update(raw).digest().toString('latin1')}`;
}

describe('tls-server-end-point of a connection', () => {
  it('is made with the hash of the signature, with SHA-256 in place of what is weaker (RFC 5929 section 4.1)', () => {
    for (const [name, hash] of [
      ['md5', 'sha256'],
      ['sha1', 'sha256'],
      ['sha384', 'sha384'],
    ] as const) {
      const raw = certificate(algorithms[name]);
      assert.equal(applicationData(channelBindingsOf(tlsSocket({ raw }))), expected(raw, hash), name);
    }
  });

  it('is that of its own certificate, whichever the server showed before', () => {
    const [one, other] = [certificate(algorithms.sha384, '1'), certificate(algorithms.sha384, '2')];
    for (const raw of [one, other, other, one]) {
      assert.equal(applicationData(channelBindingsOf(tlsSocket({ raw }))), expected(raw, 'sha384'));
    }
  });

  it('is not there without TLS, without a certificate, and where the signature has no hash', () => {
    for (const socket of [undefined, null, 'tls', {}, { encrypted: true }, new FakeSocket()]) {
      assert.equal(channelBindingsOf(socket), undefined);
    }
    for (const answer of [null, {}, { raw: 'text' }, { raw: certificate(ed25519) }]) {
      assert.equal(channelBindingsOf(tlsSocket(answer)), undefined);
    }
  });
});

describe('channelBinding over TLS', () => {
  const raw = certificate(algorithms.sha384);
  for (const [mode, given, missing] of [
    ['never', false, false],
    ['whenSupported', true, true],
    ['always', true, false],
  ] as const) {
    it(`${mode}: every leg ${given ? 'brings' : 'is without'} the bindings, and they ${missing ? 'may' : 'may not'} be missing`, () => {
      const s = scripted(usualScript, { channelBinding: mode });
      const socket = tlsSocket({ raw });
      s.now(socket, first('hello'));
      assert.equal(s.now(socket, later('right')).type, 'authenticated');
      assert.equal(s.package.calls.length, 2);
      for (const { input, requirements } of s.package.calls) {
        const buffer = Sspi.findBuffer(input, Sspi.SECBUFFER_CHANNEL_BINDINGS);
        assert.equal(applicationData(buffer?.data), given ? expected(raw, 'sha384') : undefined);
        assert.equal((requirements & Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS) !== 0, missing);
      }
    });
  }

  it('whenSupported: a certificate without bindings is told of at its first connection, once', () => {
    for (const [what, answer] of [
      ['Ed25519', { raw: certificate(ed25519) }],
      ...sha3.map((algorithm) => ['SHA-3', { raw: certificate(algorithm) }] as const),
      ['no certificate', null],
    ] as const) {
      const s = scripted(usualScript, { channelBinding: 'whenSupported' });
      const warnings = (): readonly string[] =>
        s.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
      s.now(new FakeSocket(), first('right'));
      assert.deepEqual(warnings(), [], 'not without TLS');
      for (let count = 0; count < 3; count++) {
        const socket = tlsSocket(answer);
        s.now(socket, first('hello'));
        assert.equal(s.now(socket, later('right')).type, 'authenticated', what);
      }
      assert.equal(warnings().length, 1, what);
      assert.match(warnings()[0] ?? '', /has no channel bindings .* RSA or ECDSA and SHA-2/);
    }
    const others = scripted(usualScript, { channelBinding: 'never' });
    others.now(tlsSocket({ raw: certificate(ed25519) }), first('right'));
    assert.ok(others.log.every(({ level }) => level !== 'warn'));
  });

  it('whenSupported: a runtime that hides the certificate is told of, and always lets nobody in there', () => {
    const hiding = (): FakeSocket => Object.assign(new FakeSocket(), { encrypted: true });
    const s = scripted(usualScript, { channelBinding: 'whenSupported' });
    for (let count = 0; count < 3; count++) s.now(hiding(), first('right'));
    const warnings = s.log.filter(({ level }) => level === 'warn').map(({ message }) => message);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /does not tell which certificate .* Node\.js or Deno/);
    assertBare401(scripted(usualScript, { channelBinding: 'always' }).request(hiding(), first('right')));
  });

  it('whenSupported without a logger: it is a process warning', async () => {
    const warned = once(process, 'warning');
    const s = scripted(usualScript, { channelBinding: 'whenSupported', logger: undefined as never });
    s.now(tlsSocket({ raw: certificate(ed25519) }), first('right'));
    const [{ name, message }] = (await warned) as [Error];
    assert.equal(name, 'SspiAuthWarning');
    assert.match(message, /^sspi-auth: the certificate of this server has no channel bindings/);
  });

  it('always: a certificate without bindings lets nobody in, nor does a connection that loses its certificate', () => {
    const s = scripted(usualScript, { channelBinding: 'always' });
    assertBare401(s.request(tlsSocket({ raw: certificate(ed25519) }), first('right')));
    assert.deepEqual(s.package.asked, []);
    let answer: unknown = { raw };
    const socket = Object.assign(new FakeSocket(), { encrypted: true, getCertificate: () => answer });
    s.now(socket, first('hello'));
    answer = null;
    assertBare401(s.request(socket, later('right')));
    assert.deepEqual([s.package.asked, s.package.live, s.authenticator.pendingHandshakes], [['hello'], 0, 0]);
  });

  it('A21: a certificate that cannot be read lets nobody in', () => {
    const s = scripted(usualScript, { channelBinding: 'whenSupported' });
    assertBare401(s.request(tlsSocket({ raw: Buffer.of(0x30) }), first('right')));
    assert.deepEqual(s.package.asked, []);
  });
});
