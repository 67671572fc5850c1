import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MalformedTokenError } from '../../../src/errors.ts';
import { applicationTag, contextTag, DER_SEQUENCE, derElement, derInteger } from '../../../src/formats/der.ts';
import { decodeAuthenticator, knowsChannelBindings } from '../../../src/native/gssapi/authenticator.ts';
import { apOptions, authorizationData, kerberosTime } from '../../kerberos/ap-request-forge.ts';

const SECOND = Date.UTC(2026, 2, 1, 12, 30, 15);

/** An authenticator of these fields, by tag. */
function authenticator(fields: Readonly<Record<number, Uint8Array>>): Uint8Array {
  const parts = Object.entries(fields).map(([tag, content]) => derElement(contextTag(Number(tag)), content));
  return derElement(applicationTag(2), derElement(DER_SEQUENCE, ...parts));
}

const anything = derInteger(5);
const least = { 0: anything, 1: anything, 2: anything, 4: derInteger(250_500), 5: kerberosTime(SECOND) };

describe('an authenticator', () => {
  it('has its time to the microsecond, and perhaps authorization data', () => {
    assert.deepEqual(decodeAuthenticator(authenticator(least)), { time: SECOND + 250.5, authorizationData: undefined });
    const data = apOptions(0x4000);
    const read = decodeAuthenticator(authenticator({ ...least, 3: anything, 6: anything, 7: anything, 8: data }));
    assert.equal(read.time, SECOND + 250.5);
    assert.deepEqual(read.authorizationData, data);
    assert.deepEqual(decodeAuthenticator(authenticator({ ...least, 8: data })).authorizationData, data);
  });

  it('with something else in it is none', () => {
    const without = { 0: anything, 1: anything, 2: anything, 5: least[5] };
    for (const fields of [without, { ...least, 9: anything }, { ...least, 5: anything }]) {
      assert.throws(() => decodeAuthenticator(authenticator(fields)), MalformedTokenError);
    }
  });
});

describe('D11: the claim to know channel bindings', () => {
  it('is one bit of the options, wherever they are', () => {
    assert.equal(knowsChannelBindings(undefined), false);
    assert.equal(knowsChannelBindings(derElement(DER_SEQUENCE)), false);
    assert.equal(knowsChannelBindings(authorizationData(128, Uint8Array.of(0, 0x40, 0, 0))), false);
    for (const options of [0, 0x40, 0x8000, 0xffffbfff]) assert.equal(knowsChannelBindings(apOptions(options)), false);
    for (const options of [0x4000, 0xc000, 0xffffffff]) assert.equal(knowsChannelBindings(apOptions(options)), true);
    assert.equal(knowsChannelBindings(authorizationData(143, Uint8Array.of(0, 0x40, 0, 0))), true);
    assert.equal(knowsChannelBindings(authorizationData(1, apOptions(0x4000))), true);
  });

  it('is taken for made where it cannot be read', () => {
    let nested = authorizationData(128, new Uint8Array(1));
    for (let depth = 0; depth < 6; depth++) nested = authorizationData(1, nested);
    const list = apOptions(0);
    const unreadable = [
      new Uint8Array(0),
      Uint8Array.of(0x30, 0x80, 0, 0),
      list.subarray(0, -1),
      authorizationData(1, Uint8Array.of(1)),
      authorizationData(143, new Uint8Array(1)),
      nested,
    ];
    for (const data of unreadable) assert.equal(knowsChannelBindings(data), true, Buffer.from(data).toString('hex'));
  });
});
