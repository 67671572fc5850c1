/**
 * The NTLMv1 and LM rows of MS-NLMP 4.2. This library computes neither, so the tests do, with Node's DES: the published
 * responses are right ones, and the acceptor refuses them for what they are, not for being wrong.
 */
import assert from 'node:assert/strict';
import { createCipheriv, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { hmac } from '../../../src/crypto/hmac.ts';
import { ntowfv1, ntowfv2 } from '../../../src/crypto/ntlm-keys.ts';
import { md4 } from '../../../src/crypto/md4.ts';
import { Rc4, rc4 } from '../../../src/crypto/rc4.ts';

interface Row {
  readonly id: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly expected: string;
}

const { vectors } = JSON.parse(readFileSync(new URL('../../vectors/vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Row[];
};
const row = (id: string): Row => vectors.find((candidate) => candidate.id === id)!;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const { password, user, domain, serverChallenge, clientChallenge, randomSessionKey } = row('nlmp.common')
  .inputs as Record<
  'password' | 'user' | 'domain' | 'serverChallenge' | 'clientChallenge' | 'randomSessionKey',
  string
>;
const challenge = hex(serverChallenge);
const nonce = hex(clientChallenge);
const exported = hex(randomSessionKey);

/** DES of MS-NLMP section 6: seven bytes of key spread over eight. Node has DES only as triple DES with one key thrice. */
function des(key: Uint8Array, data: Uint8Array): Buffer {
  let bits = 0n;
  for (const byte of key.subarray(0, 7)) bits = (bits << 8n) | BigInt(byte);
  const spread = Buffer.from(
    Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - 7 * index)) & 0x7fn) << 1),
  );
  const cipher = createCipheriv('des-ede3', Buffer.concat([spread, spread, spread]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** DESL of MS-NLMP section 6. */
function desl(key: Uint8Array, data: Uint8Array): Buffer {
  const long = Buffer.concat([key, Buffer.alloc(5)]);
  return Buffer.concat([0, 7, 14].map((start) => des(long.subarray(start, start + 7), data)));
}

const magic = Buffer.from('KGS!@#$%', 'ascii');
const upper = Buffer.from(password.toUpperCase().padEnd(14, '\0'), 'ascii');
const lmHash = Buffer.concat([des(upper.subarray(0, 7), magic), des(upper.subarray(7), magic)]);
const ntHash = ntowfv1(password);
const lmResponse = desl(lmHash, challenge);
const baseKey = md4(ntHash);
const lmKey = Buffer.concat([
  des(lmHash.subarray(0, 7), lmResponse.subarray(0, 8)),
  des(Buffer.concat([lmHash.subarray(7, 8), Buffer.alloc(6, 0xbd)]), lmResponse.subarray(0, 8)),
]);
const responseKeyV2 = ntowfv2(ntHash, user, domain);

/** MS-NLMP 3.4.4.1: without extended session security RC4 runs over the message, then the pad, the CRC and the number. */
function wrapV1(plain: Uint8Array): string {
  const cipher = new Rc4(exported);
  const sealed = cipher.update(plain);
  cipher.update(new Uint8Array(4));
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32(plain));
  return [sealed, cipher.update(checksum), cipher.update(new Uint8Array(4))]
    .map((part) => Buffer.from(part).toString('hex'))
    .join('|');
}

const computed: Readonly<Record<string, Uint8Array | string>> = {
  'nlmp.lmowfv1': lmHash,
  'nlmp.v1.ntResponse': desl(ntHash, challenge),
  'nlmp.v1.lmResponse': lmResponse,
  'nlmp.v1.kxkey.lmkey': lmKey,
  'nlmp.v1.encSessionKey': rc4(baseKey, exported),
  'nlmp.v1.encSessionKey.nonNt': rc4(Buffer.concat([lmHash.subarray(0, 8), Buffer.alloc(8)]), exported),
  'nlmp.v1.encSessionKey.lmkey': rc4(lmKey, exported),
  'nlmp.v1.wrap': wrapV1(Buffer.from('Plaintext', 'utf16le')),
  'nlmp.v1ess.kxkey': hmac('md5', baseKey, challenge, nonce),
  'nlmp.v1ess.ntResponse': desl(ntHash, createHash('md5').update(challenge).update(nonce).digest().subarray(0, 8)),
  'nlmp.v1ess.lmResponse': Buffer.concat([nonce, Buffer.alloc(16)]),
  'nlmp.v2.lmResponse': Buffer.concat([hmac('md5', responseKeyV2, challenge, nonce), nonce]),
};

describe('NTLMv1 and LM, as clients compute them', () => {
  for (const [id, value] of Object.entries(computed)) {
    it(id, () => {
      assert.equal(typeof value === 'string' ? value : Buffer.from(value).toString('hex'), row(id).expected);
    });
  }
});
