/**
 * Sign-in and messages with keys of every encryption type: MIT's client against each provider. Kerberos of a session key
 * of RC4 has messages of AES where the client knows both (RFC 4537), else those of RFC 4757.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import {
  deleteSecurityContext,
  makeSignature,
  queryContextAttributes,
  SEC_E_MESSAGE_ALTERED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SECBUFFER_DATA,
  SECBUFFER_STREAM,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_SIZES,
  statusName,
  verifySignature,
} from '../../../src/sspi/index.ts';
import type { ContextHandle } from '../../../src/sspi/index.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';
import { acceptor, heimdal, mit, outputToken, portable, useRealm } from './acceptor.ts';
import { startTypedRealm, typePairs } from './typed-realm.ts';
import type { TypedRealm } from './typed-realm.ts';

const ready = await tier('kdc', gssClientPackages);
const heimdalReady = await tier('heimdal', gssClientPackages);
const RC4 = 23;

/** Types of the service's key and of the session, and whether the client knows nothing but RC4. */
const pairs = [
  ...typePairs.map(([service, session]) => ({ service, session, onlyRc4: false })),
  { service: RC4, session: RC4, onlyRc4: true },
  { service: 18, session: RC4, onlyRc4: true },
];
const rows = matrixRows(
  [portable, mit, ...(heimdalReady.skip === false ? [heimdal] : [])].flatMap((provider) =>
    pairs.map((pair) => ({ provider, ...pair })),
  ),
  // In the core one of each kind of message, without a library.
  ({ provider, session, onlyRc4 }) => (provider === portable ? `${session === RC4} ${onlyRc4}` : provider),
);

describe('messages with keys of every encryption type', ready, () => {
  let realm: TypedRealm;
  let client: GssClient;
  let onlyRc4: GssClient;
  before(async () => {
    realm = await startTypedRealm();
    useRealm(realm.kdc);
    const env = await realm.kdc.signIn('alice');
    const services = realm.services.map(({ target }) => target.replace('@', '/'));
    await runChecked('kvno', services, { env });
    client = await startGssClient(env);
    const usual = await readFile(env['KRB5_CONFIG'] ?? '', 'utf8');
    const configuration = realm.kdc.file('only-rc4.conf');
    await writeFile(configuration, usual.replace('[realms]', ' permitted_enctypes = rc4-hmac\n[realms]'));
    onlyRc4 = await startGssClient({ ...env, KRB5_CONFIG: configuration });
  });
  after(async () => {
    await onlyRc4[Symbol.asyncDispose]();
    await client[Symbol.asyncDispose]();
    await realm.kdc.stop();
  });

  for (const { provider, service, session, onlyRc4: isOld } of rows) {
    const who = isOld ? 'a client that knows RC4 alone' : 'a client of today';
    it(`${provider.name}, key ${service}, session ${session}, ${who}`, async () => {
      const target = `HTTP@type-${service}-${session}.test.local`;
      const peer = isOld ? onlyRc4 : client;
      const { library } = provider;
      using server = await acceptor({ keytab: realm.kdc.keytab, library, allowRc4: true, replayCache: false });
      const { status, context, output, diagnosis } = await server.accept(await peer.initiate({ target }));
      assert.equal(statusName(status), 'SEC_E_OK', diagnosis?.text);
      assert.ok(context !== undefined);
      assert.equal((await peer.step(outputToken(output))).complete, true);
      // Heimdal notes the number before it looks at the rest, with all types but RC4.
      await exchange(context, peer, isOld, provider === heimdal && !isOld);
      deleteSecurityContext(context);
    });
  }
});

/**
 * Every kind of message, both ways, twice: the second goes by the numbers of the first.
 *
 * @param spendsNumbers the number of a message that was altered is not taken again
 */
async function exchange(
  context: ContextHandle,
  peer: GssClient,
  isRc4: boolean,
  spendsNumbers: boolean,
): Promise<void> {
  const data = Buffer.from('a message of the application');
  const buffer = [{ type: SECBUFFER_DATA, data }];
  const sizes = queryContextAttributes(context, SECPKG_ATTR_SIZES).value;
  assert.ok(sizes !== undefined);
  const verify = (message: Uint8Array, mic: Uint8Array): number =>
    verifySignature(context, [
      { type: SECBUFFER_DATA, data: message },
      { type: SECBUFFER_TOKEN, data: mic },
    ]).status;
  for (const round of [1, 2]) {
    const signature = outputToken(makeSignature(context, buffer).value ?? []);
    // TOK_ID 0101 of RFC 1964 lies in its framing, 0404 of RFC 4121 begins the token.
    assert.equal(Buffer.from(signature).subarray(0, 2).toString('hex') === '0404', !isRc4);
    assert.equal(signature.byteLength, sizes.maxSignature);
    await peer.verify(data, signature);
    assert.equal(verify(data, await peer.sign(data)), SEC_E_OK, `signature ${round}`);
    const [token, sealed] = encryptNow(context, buffer).value ?? [];
    assert.ok(token !== undefined && sealed !== undefined);
    assert.equal(sealed.data.byteLength, data.byteLength);
    assert.ok(token.data.byteLength <= sizes.securityTrailer, `${token.data.byteLength} bytes`);
    assert.deepEqual(await peer.unwrap(Buffer.concat([token.data, sealed.data])), data);
    const wrapped = await peer.wrap(data);
    assert.deepEqual(decryptNow(context, [{ type: SECBUFFER_STREAM, data: wrapped }]).value, buffer);
  }
  let mic = await peer.sign(data);
  const altered = Buffer.from(mic);
  altered[altered.byteLength - 1] = (altered[altered.byteLength - 1] ?? 0) ^ 1;
  assert.equal(verify(data, altered), SEC_E_MESSAGE_ALTERED);
  if (spendsNumbers) mic = await peer.sign(data);
  assert.equal(verify(Buffer.from('another message'), mic), SEC_E_MESSAGE_ALTERED);
  if (spendsNumbers) mic = await peer.sign(data);
  assert.equal(verify(data, mic), SEC_E_OK);
  assert.equal(verify(data, mic), SEC_E_OUT_OF_SEQUENCE);
  // The client refuses what was altered on its way too.
  const [token, sealed] = encryptNow(context, buffer).value ?? [];
  assert.ok(token !== undefined && sealed !== undefined);
  sealed.data[0] = (sealed.data[0] ?? 0) ^ 1;
  await assert.rejects(peer.unwrap(Buffer.concat([token.data, sealed.data])));
}
