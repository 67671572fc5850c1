import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NonceIssuer } from '../../../src/packages/digest/nonce-issuer.ts';
import { TestClock, testRandom } from './digest-server.ts';

const secret = new Uint8Array(32).fill(7);
const REALM = 'realm';

describe('NonceIssuer', () => {
  const clock = new TestClock();
  const issuer = new NonceIssuer(secret, clock, testRandom('one'));

  it('knows its own nonce and when it was issued', () => {
    const nonce = issuer.issue(REALM);
    const issuedAt = issuer.time();
    assert.match(nonce, /^[\w-]{64}$/);
    clock.advance(1234);
    assert.deepEqual(issuer.examine(nonce, REALM), { issuedAt, own: true, early: false, retries: 0 });
    assert.equal(issuer.examine(issuer.issue(REALM, 7), REALM)?.retries, 7);
    assert.equal(issuer.time(), issuedAt + 1234);
  });

  it('never issues a nonce twice', () => {
    const nonces = Array.from({ length: 1000 }, () => issuer.issue(REALM));
    assert.equal(new Set(nonces).size, nonces.length);
  });

  it('E03: refuses a nonce of another realm or secret', () => {
    const nonce = issuer.issue(REALM);
    assert.equal(issuer.examine(nonce, 'other'), undefined);
    const other = new NonceIssuer(new Uint8Array(32).fill(8), clock, testRandom('two'));
    assert.equal(other.examine(nonce, REALM), undefined);
  });

  it('E03: tells a nonce of another issuer with the same secret from its own', () => {
    const other = new NonceIssuer(secret, clock, testRandom('three'));
    assert.equal(other.examine(issuer.issue(REALM), REALM)?.own, false);
    // The time of another issuer counts from another point: for one of the two it has not come yet.
    assert.equal(issuer.examine(other.issue(REALM), REALM)?.own, false);
    assert.notEqual(issuer.time(), other.time());
  });

  it('keeps a copy of its secret: who changes theirs changes nothing, and theirs is not wiped', () => {
    const own = new Uint8Array(32).fill(7);
    const one = new NonceIssuer(own, clock, testRandom('one of two'));
    const nonce = one.issue(REALM);
    own.fill(9);
    assert.equal(one.examine(nonce, REALM)?.own, true);
    one.wipe();
    assert.deepEqual(own, new Uint8Array(32).fill(9));
    assert.equal(one.examine(nonce, REALM), undefined);
  });

  it('takes a random source that uses its buffer again', () => {
    const buffer = new Uint8Array(32);
    const reusing = new NonceIssuer(secret, clock, (size) => buffer.fill(buffer[0]! + 1).subarray(0, size));
    const [one, two] = [reusing.issue(REALM), reusing.issue(REALM)];
    assert.notEqual(one, two);
    assert.deepEqual(
      [one, two].map((nonce) => reusing.examine(nonce, REALM)?.own),
      [true, true],
    );
  });

  it('E03: refuses a nonce of the future', () => {
    clock.advance(5000);
    const nonce = issuer.issue(REALM);
    clock.advance(-5000);
    assert.equal(issuer.examine(nonce, REALM), undefined);
  });

  it('E03: refuses a nonce with any bit changed', () => {
    const nonce = issuer.issue(REALM);
    const bytes = Buffer.from(nonce, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(issuer.examine(changed.toString('base64url'), REALM), undefined, `bit ${bit}`);
    }
  });

  it('A02: refuses other spellings of a nonce', () => {
    const nonce = issuer.issue(REALM);
    const base64 = Buffer.from(nonce, 'base64url').toString('base64');
    const spellings = [
      `${nonce}=`,
      `${nonce}==`,
      `${nonce} `,
      ` ${nonce}`,
      `${nonce.slice(0, 30)}\n${nonce.slice(30)}`,
    ];
    for (const spelling of [...spellings, nonce.slice(0, -1), `${nonce}A`, '', `*${nonce.slice(1)}`]) {
      assert.equal(issuer.examine(spelling, REALM), undefined, JSON.stringify(spelling));
    }
    // The alphabet of base64 is another spelling only where the nonce has one of its two characters.
    if (base64 !== nonce) assert.equal(issuer.examine(base64, REALM), undefined);
  });

  it('A03: refuses every prefix of a nonce', () => {
    const nonce = issuer.issue(REALM);
    for (let length = 0; length < nonce.length; length++) {
      assert.equal(issuer.examine(nonce.slice(0, length), REALM), undefined);
    }
  });
});
