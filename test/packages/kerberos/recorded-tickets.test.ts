/** Tokens of Windows clients that others recorded, with the keys of their services, at the time they were made. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import {
  decodeApRequest,
  decodeKerberosToken,
  TOK_ID_KRB_ERROR,
} from '../../../src/formats/kerberos/kerberos-token.ts';
import { decodePacBuffers, decodePacClientInfo } from '../../../src/formats/kerberos/pac.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { memoryStore } from '../../../src/index.ts';
import type { SharedStore } from '../../../src/index.ts';
import { keyOfType } from '../../../src/crypto/kerberos/key-of-type.ts';
import { verifiesPac } from '../../../src/packages/kerberos/pac-verification.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { StoreReplay } from '../../../src/stores/store-replay.ts';
import { SECBUFFER_CHANNEL_BINDINGS, SECBUFFER_TOKEN } from '../../../src/sspi/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { vectors } from '../../lab/kerberos/vectors.ts';
import type { Vector } from '../../lab/kerberos/vectors.ts';
import { recordedAcceptor } from './recorded-acceptor.ts';

const hex = (text: unknown): Buffer => Buffer.from(String(text), 'hex');
const MINUTE = 60_000;
/** One row of vectors.json. */
const row = (id: string): Vector => vectors(new RegExp(`^${id.replaceAll('.', '\\.')}`))[0] as Vector;

describe('recorded tokens of Windows clients', () => {
  for (const vector of vectors(/^apreq\.(?:rc4|aes).*kerberos /)) {
    it(`${vector.id}: the account is that of the ticket and its PAC`, () => {
      const { status, token, why } = recordedAcceptor(vector, { allowRc4: true }).accept(hex(vector.expected));
      assert.equal(status, 'SEC_E_OK', why);
      assert.equal(token?.userName, 'user.test');
      assert.equal(token.domain, 'DOMAIN');
      assert.match(token.sid ?? '', /^S-1-5-21-/);
      assert.ok(token.groups.length > 0);
    });
  }

  it('D06: RC4 is refused unless it is allowed', () => {
    const vector = row('apreq.rc4.kerberos');
    const { status, why } = recordedAcceptor(vector).accept(hex(vector.expected));
    assert.equal(status, 'SEC_E_ALGORITHM_MISMATCH');
    assert.match(why, /arcfour-hmac/);
  });

  for (const [name, offset, status] of [
    ['four minutes early', -4 * MINUTE, 'SEC_E_OK'],
    ['six minutes early', -6 * MINUTE, 'SEC_E_TIME_SKEW'],
    ['six minutes late', 6 * MINUTE, 'SEC_E_TIME_SKEW'],
    ['a day late', 1440 * MINUTE, 'SEC_E_CONTEXT_EXPIRED'],
    ['a day early', -1440 * MINUTE, 'SEC_E_TIME_SKEW'],
  ] as const) {
    it(`D03, D04: ${name}`, () => {
      const vector = row('apreq.aes256.kerberos');
      assert.equal(recordedAcceptor(vector, { offset }).accept(hex(vector.expected)).status, status);
    });
  }

  it('D03: the allowed clock skew is an option', () => {
    const vector = row('apreq.aes256.kerberos');
    const accept = (clockSkewMilliseconds: number): string =>
      recordedAcceptor(vector, { offset: 2 * MINUTE, clockSkewMilliseconds }).accept(hex(vector.expected)).status;
    assert.deepEqual([accept(MINUTE), accept(2 * MINUTE)], ['SEC_E_TIME_SKEW', 'SEC_E_OK']);
  });

  it('D01: the same token a second time is refused, also when the memory answers later', async () => {
    const vector = row('apreq.aes128.kerberos');
    const acceptor = recordedAcceptor(vector);
    assert.equal(acceptor.accept(hex(vector.expected)).status, 'SEC_E_OK');
    const again = acceptor.accept(hex(vector.expected));
    assert.equal(again.status, 'SEC_E_LOGON_DENIED');
    assert.match(again.why, /was used before/);
    const later = recordedAcceptor(vector, { replay: { claim: () => Promise.resolve(false) } });
    const refused = await later.acceptLater(hex(vector.expected));
    assert.match(refused.why, /was used before/);
  });

  it('D25: a replay memory that fails, or answers anything but true, is a no, and the log says why', async () => {
    const vector = row('apreq.aes128.kerberos');
    for (const claim of [
      () => {
        throw new Error('no space left');
      },
      () => Promise.reject(new Error('no space left')),
    ]) {
      const { status, why } = await recordedAcceptor(vector, { replay: { claim } }).acceptLater(hex(vector.expected));
      assert.equal(status, 'SEC_E_INTERNAL_ERROR');
      assert.match(why, /^let this process write to its replay cache again.*no space left/);
    }
    for (const answer of [undefined, null, 1, 'true', {}]) {
      const replay = { claim: () => answer as boolean };
      assert.equal(recordedAcceptor(vector, { replay }).accept(hex(vector.expected)).status, 'SEC_E_LOGON_DENIED');
    }
  });

  it('H13: where the store is away, that is what the status says, so that the client is told to come again', async () => {
    const vector = row('apreq.aes128.kerberos');
    const store: SharedStore = { ...memoryStore(), claim: () => Promise.reject(new Error('no connection')) };
    const replay = new StoreReplay({ store, skew: 300_000, clock: systemClock });
    const acceptor = recordedAcceptor(vector, { replay: { claim: (hash) => replay.claim(hash, Date.now()) } });
    const { status, why } = await acceptor.acceptLater(hex(vector.expected));
    assert.equal(status, 'SEC_E_NO_AUTHENTICATING_AUTHORITY');
    assert.match(why, /^have the store of option "store" answer again: it failed \(no connection\)/);
  });

  it('D23: a ticket that is known is verified again: key gone, time run out', () => {
    const vector = row('apreq.aes256.kerberos');
    const acceptor = recordedAcceptor(vector, { replay: { claim: () => true } });
    const token = hex(vector.expected);
    assert.equal(acceptor.accept(token).status, 'SEC_E_OK');
    assert.equal(acceptor.accept(token).status, 'SEC_E_OK');
    acceptor.time.offset = 1440 * MINUTE;
    assert.equal(acceptor.accept(token).status, 'SEC_E_CONTEXT_EXPIRED');
    acceptor.time.offset = 0;
    assert.equal(acceptor.accept(token).status, 'SEC_E_OK');
    acceptor.keys.length = 0;
    const gone = acceptor.accept(token);
    assert.equal(gone.status, 'SEC_E_NO_KERB_KEY');
  });

  it('D06: a known ticket does not let the type of the authenticator be another', () => {
    const vector = row('apreq.aes256.kerberos');
    const acceptor = recordedAcceptor(vector, { replay: { claim: () => true } });
    const token = hex(vector.expected);
    assert.equal(acceptor.accept(token).status, 'SEC_E_OK');
    // The second etype of the token: a0 03 02 01 12.
    const at = token.lastIndexOf(Buffer.from('a003020112', 'hex')) + 4;
    const altered = Buffer.from(token);
    altered[at] = 17;
    assert.equal(decodeApRequest(decodeKerberosToken(altered).message).sessionEncryptionType, 17);
    assert.equal(acceptor.accept(altered).status, 'SEC_E_LOGON_DENIED');
  });

  it('D11: channel bindings of a client that declares to know them', () => {
    const vector = row('apreq.derived.matching-cbt');
    const token = hex(vector.expected);
    const digest = hex(row('cbt.msblog').inputs['certHashSha256']);
    const bindings = encodeChannelBindings(Buffer.concat([Buffer.from('tls-server-end-point:'), digest]));
    const wrong = encodeChannelBindings(Buffer.from('tls-server-end-point:other'));
    const accept = (given: Uint8Array | undefined, requirements = 0): string => {
      const input: Sspi.SecBuffer[] = [{ type: SECBUFFER_TOKEN, data: token }];
      if (given !== undefined) input.push({ type: SECBUFFER_CHANNEL_BINDINGS, data: given });
      return recordedAcceptor(vector).acceptInput(input, requirements).status;
    };
    assert.equal(accept(undefined), 'SEC_E_OK');
    assert.equal(accept(bindings), 'SEC_E_OK');
    assert.equal(accept(wrong), 'SEC_E_BAD_BINDINGS');
    assert.equal(accept(wrong, Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS), 'SEC_E_BAD_BINDINGS');
  });

  it('apreq.*.spnego: under Negotiate the answer has the identifier that the client offered', async () => {
    for (const vector of vectors(/^apreq\.(?:rc4|aes256)\.spnego/)) {
      const { authData, package: inner } = recordedAcceptor(vector, { allowRc4: true });
      const credential = await Sspi.acquireCredentialsHandle({
        package: negotiatePackage,
        credentialUse: 'inbound',
        authData: { packages: [{ package: inner, authData }] },
      });
      const result = await Sspi.acceptSecurityContext({
        credential,
        context: undefined,
        input: [{ type: SECBUFFER_TOKEN, data: hex(vector.expected) }],
        requirements: 0,
        targetDataRep: Sspi.SECURITY_NATIVE_DREP,
      });
      assert.equal(Sspi.statusName(result.status), 'SEC_E_OK', result.diagnosis?.text);
      assert.ok(result.context !== undefined);
      Sspi.deleteSecurityContext(result.context);
      Sspi.freeCredentialsHandle(credential);
    }
  });

  it('a client that asks for mutual authentication in its checksum alone gets a KRB-ERROR, once that was read', () => {
    const vector = row('apreq.aes256.kerberos');
    const token = hex(vector.expected);
    // ap-options: mutual-required is bit 2 of what is not encrypted.
    const options = token.indexOf(Buffer.from('a20703050020000000', 'hex'));
    assert.ok(options > 0);
    token[options + 5] = 0;
    const extended = Sspi.ASC_REQ_EXTENDED_ERROR;
    const inputOf = (application: string): Sspi.SecBuffer[] => [
      { type: SECBUFFER_TOKEN, data: token },
      { type: SECBUFFER_CHANNEL_BINDINGS, data: encodeChannelBindings(Buffer.from(application)) },
    ];
    const acceptor = recordedAcceptor(vector, { replay: { claim: () => true } });
    const answer = (input: readonly Sspi.SecBuffer[], requirements: number): number | undefined => {
      const output = acceptor.ask(input, requirements).output ?? [];
      const found = output.find(({ type }) => type === SECBUFFER_TOKEN);
      return found && decodeKerberosToken(found.data).tokenId;
    };
    assert.equal(answer(inputOf('another connection'), extended), TOK_ID_KRB_ERROR);
    assert.equal(answer(inputOf('another connection'), 0), undefined, 'nobody has asked for errors');
    // Refused before the checksum was read: only what is not encrypted could tell.
    acceptor.time.offset = 60 * MINUTE;
    assert.equal(answer(inputOf('another connection'), extended), undefined);
  });

  it('D08: no byte of ticket or authenticator can be altered', () => {
    const vector = row('apreq.aes128.kerberos');
    const token = hex(vector.expected);
    const acceptor = recordedAcceptor(vector, { replay: { claim: () => true } });
    const { ticketCipher, authenticatorCipher } = decodeApRequest(decodeKerberosToken(token).message);
    // What lies outside is not encrypted: flags, kvno, the case of a name.
    const sealed = [ticketCipher, authenticatorCipher].flatMap(({ byteOffset, byteLength }) =>
      Array.from({ length: byteLength }, (_, index) => byteOffset - token.byteOffset + index),
    );
    assert.ok(sealed.length > 1000);
    for (const at of sealed) {
      const altered = Buffer.from(token);
      altered[at] = (altered[at] ?? 0) ^ 0x20;
      assert.notEqual(acceptor.accept(altered).status, 'SEC_E_OK', `byte ${at}`);
    }
    assert.equal(acceptor.accept(token).status, 'SEC_E_OK');
  });

  it('keys are zero once the credential is freed, and its contexts live on', () => {
    const vector = row('apreq.aes256.kerberos');
    const acceptor = recordedAcceptor(vector);
    const reply = acceptor.reply(hex(vector.expected));
    const keys = acceptor.keys.map(({ key }) => key);
    acceptor.free();
    assert.ok(keys.every(({ value }) => value.every((byte) => byte === 0)));
    assert.equal(reply.context?.makeSignature?.([{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('x') }], 0).status, 0);
    reply.context.delete();
  });
});

/** A PAC of buffers, each at a multiple of eight. */
function pacOfBuffers(buffers: readonly (readonly [type: number, data: Uint8Array])[]): Buffer {
  const head = Buffer.alloc(8 + 16 * buffers.length);
  head.writeUInt32LE(buffers.length);
  let end = head.byteLength;
  const parts: Buffer[] = [head];
  for (const [index, [type, data]] of buffers.entries()) {
    head.writeUInt32LE(type, 8 + 16 * index);
    head.writeUInt32LE(data.byteLength, 12 + 16 * index);
    head.writeUInt32LE(end, 16 + 16 * index);
    const padded = Buffer.alloc(Math.ceil(data.byteLength / 8) * 8);
    padded.set(data);
    parts.push(padded);
    end += padded.byteLength;
  }
  return Buffer.concat(parts);
}

describe('the PAC of a Windows domain', () => {
  const [vector] = vectors(/^pac\.rc4/);
  assert.ok(vector !== undefined);
  const pac = hex(vector.expected);
  const key = keyOfType(23, hex(vector.inputs['serverKey(rc4)']));
  assert.ok(key !== undefined);
  const [name = ''] = String(vector.inputs['principal']).split('@');
  const client = { nameType: 1, components: [name], realm: 'WIN2K3.THINKER.LOCAL' };
  const ticket = { key, client, authTime: Number(vector.inputs['authtime']) * 1000 };

  it('verifies with the key of the service', () => assert.equal(verifiesPac(pac, ticket), true));

  it('D14: is of another time or another name', () => {
    assert.equal(verifiesPac(pac, { ...ticket, authTime: ticket.authTime + 1000 }), false);
    assert.equal(verifiesPac(pac, { ...ticket, client: { ...client, components: ['administrator'] } }), false);
    assert.equal(decodePacClientInfo(pac.subarray(0x220)).name, name);
  });

  it('D12, D13, D24: no byte can be altered but those of the KDC’s own signature', () => {
    const open = new Set<number>();
    for (let at = 0; at < pac.byteLength; at++) {
      const altered = Buffer.from(pac);
      altered[at] = (altered[at] ?? 0) ^ 1;
      if (verifiesPac(altered, ticket)) open.add(at);
    }
    // PAC_INFO_BUFFER 3 has the place of the KDC's signature: 0x258, 20 bytes, of which the first four are its type.
    assert.deepEqual(
      [...open],
      Array.from({ length: 16 }, (_, index) => 0x258 + 4 + index),
    );
  });

  it('may have the number of a read-only domain controller behind its signatures, and nothing longer', () => {
    const info = decodePacBuffers(pac).find(({ type }) => type === 10)?.data ?? Buffer.alloc(0);
    for (const bytes of [0, 1, 2, 3, 4, 16]) {
      // Type -138, sixteen bytes, and the number, which is zero under the signature like the signature itself.
      const signature = Buffer.concat([Buffer.of(0x76, 0xff, 0xff, 0xff), Buffer.alloc(16 + bytes)]);
      const made = pacOfBuffers([
        [10, info],
        [6, signature],
        [7, signature],
      ]);
      const { offset = 0 } = decodePacBuffers(made).find(({ type }) => type === 6) ?? {};
      key.checksum(17, made).copy(made, offset + 4);
      made.fill(0x5a, offset + 20, offset + 20 + bytes);
      assert.equal(verifiesPac(made, ticket), bytes === 0 || bytes === 2, `${bytes} bytes`);
      made[offset + 4] = (made[offset + 4] ?? 0) ^ 1;
      assert.equal(verifiesPac(made, ticket), false);
    }
  });

  it('D12: does not verify with a key of another type', () => {
    for (const type of [17, 18, 19, 20]) {
      const other = keyOfType(type, Buffer.alloc(type % 2 === 0 ? 32 : 16, 7));
      assert.ok(other !== undefined);
      assert.equal(verifiesPac(pac, { ...ticket, key: other }), false);
    }
  });
});
