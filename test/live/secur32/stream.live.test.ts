/**
 * Schannel and CREDSSP of Windows, through the ABI of secur32.dll and crypt32.dll: a library that checks the structures it
 * is given and answers what its tokens say. What Windows itself does, it does not show.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { liveNativeHandles, secur32Packages } from '../../../src/native/secur32/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { decodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { addCertificates, buildScriptedSspi } from '../../lab/scripted-sspi.ts';
import type { ScriptedSspi } from '../../lab/scripted-sspi.ts';
import { tier } from '../../lab/tier.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

const ready = await tier('winpr', ['gcc', 'libc6-dev']);

type Result = Sspi.AcceptSecurityContextResult;

const NO_SYSTEM_MAPPER = 0x2;
const DISABLE_RECONNECTS = 0x80;
const STRONG_CRYPTO = 0x400000;
const TLS_1_2 = 0x400;
const TLS_1_3 = 0x1000;
const authData = { pfx: Buffer.from('pfx:opens,server'), passphrase: 'opens' };
const nothingHeld = { contexts: 0, buffers: 0, wrong: 0, overlaps: 0, tokens: 0, certificates: 0 };

const text = (buffers: readonly Sspi.SecBuffer[] | undefined, type: number): string | undefined => {
  const found = Sspi.findBuffer(buffers ?? [], type);
  return found && Buffer.from(found.data).toString('latin1');
};
const record = (data: string): Buffer => {
  const turned = Buffer.from(data).map((byte) => byte ^ 0xff);
  const length = turned.byteLength + 4;
  return Buffer.concat([Buffer.of(0x17, 3, 3, length >> 8, length & 0xff), turned, Buffer.from('TAIL')]);
};

describe('secur32: Schannel and CREDSSP', ready, () => {
  let folder: ScratchFolder;
  let library: ScriptedSspi;
  let found: readonly Sspi.SecurityPackage[];

  before(async () => {
    folder = await scratchFolder('scripted-stream');
    library = await buildScriptedSspi(folder);
    addCertificates(library);
    found = secur32Packages(library.path);
  });
  after(async () => {
    assert.deepEqual(library.counts(), { ...nothingHeld, credentials: 0 });
    assert.equal(library.credential().keys, 0, 'private keys in the key set');
    assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, buffers: 0, certificates: 0 });
    await folder.remove();
  });

  const owner = (name: string): Sspi.SecurityPackage => found.find(({ info }) => info.name === name)!;
  const acquire = async (name: string, data: unknown): Promise<Sspi.CredentialHandle> =>
    Sspi.acquireCredentialsHandle({ package: owner(name), credentialUse: 'inbound', authData: data });
  async function withCredential(
    name: string,
    data: unknown,
    use: (credential: Sspi.CredentialHandle) => Promise<void>,
  ): Promise<void> {
    const credential = await acquire(name, data);
    try {
      await use(credential);
    } finally {
      Sspi.freeCredentialsHandle(credential);
      assert.deepEqual(library.counts(), { ...nothingHeld, credentials: 0 });
      assert.equal(library.credential().keys, 0);
    }
  }
  const accept = async (
    credential: Sspi.CredentialHandle,
    script: string,
    context?: Sspi.ContextHandle,
    requirements = 0,
    others: readonly Sspi.SecBuffer[] = [],
  ): Promise<Result> =>
    Sspi.acceptSecurityContext({
      ...{ credential, context, requirements, targetDataRep: Sspi.SECURITY_NETWORK_DREP },
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(script) }, ...others],
    });
  const statusIs = ({ status }: { readonly status: number }, name: string): void => {
    assert.equal(Sspi.statusName(status), name);
  };

  it('are there where the library has certificates, and only there', async () => {
    const names = found.map(({ info }) => info.name);
    assert.deepEqual(names, ['Negotiate', 'NTLM', 'Schannel', 'CREDSSP']);
    const other = await buildScriptedSspi(folder, 'libwithout.so');
    assert.deepEqual(
      secur32Packages(other.path).map(({ info }) => info.name),
      ['Negotiate', 'NTLM'],
    );
  });

  for (const [versions, version, protocols] of [
    [{}, 5, TLS_1_2 | TLS_1_3],
    [{ maxVersion: 'TLSv1.2' }, 5, TLS_1_2],
    [{ minVersion: 'TLSv1.3' }, 5, TLS_1_3],
  ] as const) {
    it(`Schannel has a credential of SCH_CREDENTIALS for ${JSON.stringify(versions)}`, async () => {
      await withCredential('Schannel', { ...authData, ...versions }, async () => {
        const flags = NO_SYSTEM_MAPPER | DISABLE_RECONNECTS | STRONG_CRYPTO;
        assert.deepEqual(library.credential(), { version, flags, protocols, type: 0, keys: 1 });
        assert.equal(liveNativeHandles().certificates, 2);
        return Promise.resolve();
      });
    });
  }

  it('Schannel falls back to SCHANNEL_CRED, which has TLS 1.2 alone, and never for TLS 1.3', async () => {
    library.refuse(5);
    try {
      await withCredential('Schannel', authData, async () => {
        const { version, protocols } = library.credential();
        assert.deepEqual([version, protocols], [4, TLS_1_2]);
        return Promise.resolve();
      });
      await assert.rejects(acquire('Schannel', { ...authData, minVersion: 'TLSv1.3' }), {
        code: 'ERR_SSPI_AUTH_STATUS',
        message: /no credential for package Schannel: SEC_E_UNKNOWN_CREDENTIALS/,
      });
    } finally {
      library.refuse(0);
    }
    assert.equal(library.credential().keys, 0);
  });

  it('CREDSSP has a credential of SCHANNEL_CRED and the packages of its Negotiate', async () => {
    for (const [packages, list] of [
      [undefined, ''],
      [['Kerberos'], '!ntlm'],
    ] as const) {
      await withCredential('CREDSSP', { ...authData, packages }, async () => {
        const { version, type, protocols } = library.credential();
        assert.deepEqual([version, type, protocols, library.packageList()], [4, 2, TLS_1_2, list]);
        return Promise.resolve();
      });
    }
  });

  it('deletes keys of CryptoAPI and of CNG, of the account and of the machine, once', async () => {
    for (const kind of ['cng', 'machine', 'cng-machine']) {
      const pfx = Buffer.from(`pfx:opens,${kind}`);
      await withCredential('Schannel', { ...authData, pfx }, () => Promise.resolve());
    }
  });

  for (const [what, data, message] of [
    ['no pfx', {}, /"authData\.pfx"/],
    ['a wrong passphrase', { ...authData, passphrase: 'wrong' }, /"authData\.pfx" cannot be imported/],
    ['no PKCS #12', { pfx: 'a certificate' }, /"authData\.pfx" cannot be imported.*openssl pkcs12/],
    [
      'no private key',
      { ...authData, pfx: 'pfx:opens,keyless' },
      /"authData\.pfx" has no certificate with a private key/,
    ],
    ['PEM', { cert: 'PEM', key: 'PEM' }, /authData\.cert/],
    ['no version left', { ...authData, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, /authData\.minVersion/],
  ] as const) {
    it(`refuses authData with ${what}, and keeps nothing`, async () => {
      await assert.rejects(acquire('Schannel', data), { code: 'ERR_SSPI_AUTH_OPTION', message });
      assert.deepEqual(library.counts(), { ...nothingHeld, credentials: 0 });
      assert.equal(library.credential().keys, 0);
    });
  }

  it('gives back what was not consumed, and what is missing, on every leg', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const first = await accept(credential, 'status=90312 out=hello extra=4 TAIL');
      statusIs(first, 'SEC_I_CONTINUE_NEEDED');
      assert.deepEqual(
        [text(first.output, Sspi.SECBUFFER_TOKEN), text(first.output, Sspi.SECBUFFER_EXTRA)],
        ['hello', 'TAIL'],
      );
      const cut = await accept(credential, 'status=80090318 begin=1 missing=17', first.context);
      statusIs(cut, 'SEC_E_INCOMPLETE_MESSAGE');
      assert.deepEqual([cut.missing, cut.context, cut.output], [17, first.context, []]);
      const none = await accept(credential, '', first.context);
      assert.deepEqual([none.status, none.missing], [Sspi.SEC_E_INCOMPLETE_MESSAGE, 5]);
      const last = await accept(credential, 'status=0 out=tickets extra=3 flags=1001e new=1 END', first.context);
      statusIs(last, 'SEC_E_OK');
      assert.deepEqual(
        [text(last.output, Sspi.SECBUFFER_TOKEN), text(last.output, Sspi.SECBUFFER_EXTRA)],
        ['tickets', 'END'],
      );
      // Nobody has verified a certificate: MUTUAL_AUTH is taken away.
      assert.equal(last.attributes, 0x1001c);
      assert.equal(Sspi.statusName(Sspi.querySecurityContextToken(last.context!).status), 'SEC_E_NO_IMPERSONATION');
      Sspi.deleteSecurityContext(last.context!);
    });
  });

  it('goes on after an incomplete first leg, whether or not the library has made a context', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      for (const made of ['begin=1', 'handle=0']) {
        const cut = await accept(credential, `status=80090318 ${made} missing=9`);
        assert.ok(cut.context !== undefined);
        assert.equal(library.counts().contexts, made === 'begin=1' ? 1 : 0);
        const begun = await accept(credential, 'status=90312 out=hello', cut.context);
        statusIs(begun, 'SEC_I_CONTINUE_NEEDED');
        assert.equal(library.counts().contexts, 1);
        assert.equal(Sspi.deleteSecurityContext(cut.context), Sspi.SEC_E_OK);
        assert.equal(library.counts().contexts, 0);
      }
    });
  });

  it('calls with the buffers that Schannel wants, and hands on those of the caller', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const protocols = { type: 18, data: Buffer.from('protocols') };
      const requirements = Sspi.ASC_REQ_ALLOCATE_MEMORY | Sspi.ASC_REQ_CONFIDENTIALITY;
      const { context } = await accept(credential, 'status=0', undefined, requirements, [protocols]);
      const call = library.lastCall();
      assert.deepEqual(call.input, [Sspi.SECBUFFER_TOKEN, 18]);
      assert.deepEqual(call.output, [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_ALERT]);
      // The library never allocates, and TLS is a stream.
      assert.equal(call.requirements, Sspi.ASC_REQ_STREAM | Sspi.ASC_REQ_CONFIDENTIALITY);
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('a failure has its alert, and its record only with EXTENDED_ERROR', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const script = 'status=80090331 out=record alert=0228 begin=1';
      for (const [requirements, token] of [
        [0, undefined],
        [Sspi.ASC_REQ_EXTENDED_ERROR, 'record'],
      ] as const) {
        const failed = await accept(credential, script, undefined, requirements);
        statusIs(failed, 'SEC_E_ALGORITHM_MISMATCH');
        assert.equal(failed.context, undefined);
        assert.equal(text(failed.output, Sspi.SECBUFFER_TOKEN), token);
        assert.equal(text(failed.output, Sspi.SECBUFFER_ALERT), '\x02\x28');
        assert.match(failed.diagnosis?.text ?? '', /log System/);
      }
      const silent = await accept(credential, 'status=80090308', undefined, Sspi.ASC_REQ_EXTENDED_ERROR);
      assert.deepEqual(silent.output, []);
    });
  });

  for (const [script, status] of [
    ['status=0 handle=0', 'SEC_E_INTERNAL_ERROR'],
    ['status=90312 handle=0', 'SEC_E_INTERNAL_ERROR'],
    ['status=90313', 'SEC_E_INTERNAL_ERROR'],
    ['status=90314', 'SEC_E_INTERNAL_ERROR'],
    ['status=90320', '0x00090320'],
    ['status=0 claim=99999', 'SEC_E_INTERNAL_ERROR'],
    ['status=0 extra=999', 'SEC_E_INTERNAL_ERROR'],
  ] as const) {
    it(`takes ${script} for no success (G07)`, async () => {
      await withCredential('Schannel', authData, async (credential) => {
        const result = await accept(credential, script);
        assert.match(Sspi.statusName(result.status), new RegExp(`^(?:${status}|SEC_I_INCOMPLETE_CREDENTIALS)$`));
        assert.equal(result.context, undefined);
        assert.equal(library.counts().contexts, 0);
      });
    });
  }

  it('MUTUAL_AUTH: the caller must say that it verifies the certificate, and there must be one', async () => {
    const requirements = Sspi.ASC_REQ_MUTUAL_AUTH;
    await withCredential('Schannel', authData, async (credential) => {
      const refused = await accept(credential, 'status=0 cert=alice', undefined, requirements);
      statusIs(refused, 'SEC_E_UNSUPPORTED_FUNCTION');
      assert.match(refused.diagnosis?.text ?? '', /manualCredentialValidation/);
    });
    await withCredential('Schannel', { ...authData, manualCredentialValidation: true }, async (credential) => {
      statusIs(await accept(credential, 'status=0', undefined, requirements), 'SEC_E_LOGON_DENIED');
      const { context, attributes } = await accept(credential, 'status=0 cert=alice flags=2', undefined, requirements);
      assert.equal(attributes, 0);
      const certificate = Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_REMOTE_CERT_CONTEXT);
      assert.equal(Buffer.from(certificate.value!).toString(), 'alice');
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('reads the attributes of TLS, and gives back what they point to', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const { context } = await accept(credential, 'status=0 proto=h2');
      const ask = <A extends Sspi.ContextAttribute>(attribute: A): Sspi.ContextAttributeValues[A] => {
        const answer = Sspi.queryContextAttributes(context!, attribute);
        statusIs(answer, 'SEC_E_OK');
        return answer.value!;
      };
      assert.deepEqual(ask(Sspi.SECPKG_ATTR_STREAM_SIZES), {
        ...{ header: 5, trailer: 11, maximumMessage: 16384, buffers: 4, blockSize: 16 },
      });
      for (const [attribute, bindings] of [
        [Sspi.SECPKG_ATTR_UNIQUE_BINDINGS, 'tls-unique:abc'],
        [Sspi.SECPKG_ATTR_ENDPOINT_BINDINGS, 'tls-server-end-point:abcd'],
      ] as const) {
        const { applicationData } = decodeChannelBindings(ask(attribute));
        assert.equal(Buffer.from(applicationData).toString(), bindings);
      }
      assert.deepEqual(ask(Sspi.SECPKG_ATTR_APPLICATION_PROTOCOL), { status: 1, extension: 2, protocol: 'h2' });
      assert.deepEqual(ask(Sspi.SECPKG_ATTR_CONNECTION_INFO), {
        ...{ protocol: 0x400, cipher: 0x660e, cipherStrength: 128, hash: 0x800c, hashStrength: 0 },
        ...{ exchange: 0xae06, exchangeStrength: 255 },
      });
      assert.deepEqual(ask(Sspi.SECPKG_ATTR_CIPHER_INFO), {
        ...{ protocol: 0x303, cipherSuite: 'TLS_SUITE', cipher: 'AES', cipherLength: 256 },
        ...{ hash: 'SHA384', exchange: 'ECDHE' },
      });
      const { resumed, sessionId } = ask(Sspi.SECPKG_ATTR_SESSION_INFO);
      assert.deepEqual([resumed, Buffer.from(sessionId).toString()], [true, 'sid']);
      assert.equal(Buffer.from(ask(Sspi.SECPKG_ATTR_LOCAL_CERT_CONTEXT)).toString(), "the server's");
      const none = Sspi.queryContextAttributes(context!, Sspi.SECPKG_ATTR_REMOTE_CERT_CONTEXT);
      statusIs(none, 'SEC_E_NO_CREDENTIALS');
      assert.deepEqual(library.counts(), { ...nothingHeld, credentials: 1, contexts: 1, certificates: 2 });
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('encrypts one record, as a token or in its parts', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const { context } = await accept(credential, 'status=0');
      const data = (value: string): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_DATA, data: Buffer.from(value) });
      const whole = encryptNow(context!, [data('one '), data('message')]);
      assert.deepEqual(Buffer.from(whole.value![0]!.data), record('one message'));
      assert.deepEqual(
        whole.value!.map(({ type }) => type),
        [Sspi.SECBUFFER_TOKEN],
      );
      const header = { type: Sspi.SECBUFFER_STREAM_HEADER, data: new Uint8Array(0) };
      const parts = encryptNow(context!, [header, data('x')]);
      assert.deepEqual(
        parts.value!.map(({ type, data: bytes }) => [type, bytes.byteLength]),
        [
          [Sspi.SECBUFFER_STREAM_HEADER, 5],
          [Sspi.SECBUFFER_DATA, 1],
          [Sspi.SECBUFFER_STREAM_TRAILER, 4],
        ],
      );
      assert.deepEqual(encryptNow(context!, [data('')]), { status: Sspi.SEC_E_OK, value: [] });
      statusIs(encryptNow(context!, []), 'SEC_E_INVALID_TOKEN');
      statusIs(encryptNow(context!, [data('x'.repeat(16385))]), 'SEC_E_BUFFER_TOO_SMALL');
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('decrypts one record a call, and says what is left, missing or wrong', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const { context } = await accept(credential, 'status=0');
      const open = (bytes: Uint8Array, type = Sspi.SECBUFFER_DATA): Sspi.MessageAnswer =>
        decryptNow(context!, [{ type, data: bytes }]);
      const two = open(Buffer.concat([record('one'), record('two').subarray(0, 6)]));
      statusIs(two, 'SEC_E_OK');
      assert.equal(text(two.value, Sspi.SECBUFFER_DATA), 'one');
      assert.deepEqual(
        Buffer.from(Sspi.findBuffer(two.value!, Sspi.SECBUFFER_EXTRA)!.data),
        record('two').subarray(0, 6),
      );
      const cut = open(record('two').subarray(0, 6));
      assert.deepEqual(cut, { status: Sspi.SEC_E_INCOMPLETE_MESSAGE, missing: record('two').byteLength - 6 });
      for (const type of [Sspi.SECBUFFER_TOKEN, Sspi.SECBUFFER_STREAM]) {
        assert.equal(text(open(record('again'), type).value, Sspi.SECBUFFER_DATA), 'again');
      }
      assert.equal(text(open(record('')).value, Sspi.SECBUFFER_DATA), '');
      const changed = record('one');
      changed[changed.byteLength - 1]! ^= 1;
      statusIs(open(changed), 'SEC_E_MESSAGE_ALTERED');
      const closed = open(Buffer.concat([record('status=90317'), Buffer.from('rest')]));
      statusIs(closed, 'SEC_I_CONTEXT_EXPIRED');
      assert.deepEqual(
        closed.value!.map(({ type, data }) => [type, Buffer.from(data).toString()]),
        [[Sspi.SECBUFFER_EXTRA, 'rest']],
      );
      statusIs(open(record('status=90321')), 'SEC_I_RENEGOTIATE');
      // No other status is half a success, and no pointer is followed that leads outside.
      for (const script of ['status=90312', 'status=90320', 'status=1', 'astray=1', 'more=1']) {
        const answer = open(record(script));
        assert.deepEqual([Sspi.statusName(answer.status), answer.value], ['SEC_E_INTERNAL_ERROR', undefined], script);
      }
      statusIs(decryptNow(context!, []), 'SEC_E_INVALID_TOKEN');
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('closes by ApplyControlToken and a leg without input', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const control = (...words: number[]): Sspi.SecBuffer[] => {
        const data = Buffer.alloc(4 * words.length);
        words.forEach((word, index) => data.writeUInt32LE(word, 4 * index));
        return [{ type: Sspi.SECBUFFER_TOKEN, data }];
      };
      const { context, attributes } = await accept(credential, 'status=0 flags=1001c');
      assert.equal(Sspi.applyControlToken(context!, []), Sspi.SEC_E_INVALID_PARAMETER);
      statusIs({ status: Sspi.applyControlToken(context!, control(0)) }, 'SEC_E_UNSUPPORTED_FUNCTION');
      assert.equal(Sspi.applyControlToken(context!, control(Sspi.SCHANNEL_SHUTDOWN)), Sspi.SEC_E_OK);
      const closing = await accept(credential, '', context);
      statusIs(closing, 'SEC_E_OK');
      assert.deepEqual([text(closing.output, Sspi.SECBUFFER_TOKEN), closing.attributes], ['closed', attributes]);
      const late = encryptNow(context!, [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('late') }]);
      statusIs(late, 'SEC_E_CONTEXT_EXPIRED');
      // An alert ends the context: its record is there all the same.
      assert.equal(Sspi.applyControlToken(context!, control(Sspi.SCHANNEL_ALERT, 2, 40)), Sspi.SEC_E_OK);
      const alerted = await accept(credential, '', context);
      statusIs(alerted, 'SEC_I_CONTEXT_EXPIRED');
      assert.deepEqual([text(alerted.output, Sspi.SECBUFFER_TOKEN), alerted.context], ['alerted', undefined]);
      assert.equal(library.counts().contexts, 0);
    });
  });

  it('CREDSSP says who the client is; Schannel cannot impersonate it', async () => {
    await withCredential('CREDSSP', authData, async (credential) => {
      const result = await accept(credential, 'status=0 name=LAB\\alice flags=20000 level=2');
      statusIs(result, 'SEC_E_OK');
      assert.equal(result.attributes, 0x20000);
      const { userName, domain } = Sspi.querySecurityContextToken(result.context!).value!;
      assert.deepEqual([domain, userName], ['LAB', 'alice']);
      const sealed = encryptNow(result.context!, [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('m') }]);
      assert.deepEqual(Buffer.from(sealed.value![0]!.data), record('m'));
      Sspi.deleteSecurityContext(result.context!);
    });
    await withCredential('Schannel', authData, async (credential) => {
      const { context } = await accept(credential, 'status=0 level=2');
      statusIs({ status: Sspi.impersonateSecurityContext(context!) }, 'SEC_E_UNSUPPORTED_FUNCTION');
      Sspi.deleteSecurityContext(context!);
    });
  });

  it('contexts keep their credential, their certificate and its key', async () => {
    const credential = await acquire('Schannel', authData);
    const { context } = await accept(credential, 'status=90312 out=hello');
    Sspi.freeCredentialsHandle(credential);
    assert.equal(library.credential().keys, 1);
    assert.equal(Sspi.deleteSecurityContext(context!), Sspi.SEC_E_OK);
    assert.equal(library.credential().keys, 0);
    assert.deepEqual(library.counts(), { ...nothingHeld, credentials: 0 });
  });

  it('a thousand contexts that are left in mid-handshake leave nothing (A17)', async () => {
    await withCredential('Schannel', authData, async (credential) => {
      const contexts: Sspi.ContextHandle[] = [];
      for (let count = 0; count < 1000; count++) {
        contexts.push((await accept(credential, `status=90312 out=${count}`)).context!);
      }
      assert.equal(library.counts().contexts, 1000);
      for (const context of contexts) Sspi.deleteSecurityContext(context);
    });
  });
});
