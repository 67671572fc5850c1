/** The handshake of CredSSP that proves its row. */
import assert from 'node:assert/strict';
import { credsspPackage } from '../../src/packages/credssp/index.ts';
import { serverBinding } from '../../src/packages/credssp/key-binding.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { CredSspClient, passwordCredentials, publicKeyOf } from '../packages/credssp/credssp-client.ts';
import { alice, credsspAuthData } from '../packages/credssp/credssp-server.ts';
import { part } from '../packages/schannel/schannel-server.ts';
import { certificates } from '../vectors/certificates.ts';
import { assertGranted, assertStatus } from './conformance-handshakes.ts';
import type { Result } from './conformance-handshakes.ts';
import type { Witness } from './witness.ts';

const publicKey = publicKeyOf(certificates.server.cert);
const tokenOf = ({ output }: Result): Buffer => part(output, Sspi.SECBUFFER_TOKEN);

/** Row package CredSSP. */
export async function credsspSignsIn(witness: Witness): Promise<void> {
  const credential = await witness.acquire(credsspPackage, credsspAuthData());
  const options = { requirements: Sspi.ASC_REQ_DELEGATE };
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    using client = new CredSspClient(alice, { minVersion: version, maxVersion: version });
    let context: Sspi.ContextHandle | undefined;
    const leg = async (bytes: Uint8Array, status: number = Sspi.SEC_I_CONTINUE_NEEDED): Promise<Result> => {
      const result = await witness.accept(credential, context, bytes, options);
      assertStatus(result, status);
      ({ context } = result);
      return result;
    };
    const hello = await leg(await client.tls.next());
    const finished = await leg(await client.tls.next(tokenOf(hello)));
    await client.tls.next(tokenOf(finished));
    const challenge = await client.receive(tokenOf(await leg(await client.send(client.first()))));
    const negoToken = client.authenticate(challenge.negoToken);
    const pubKeyAuth = client.seal(client.binding());
    const proof = await client.send({ negoToken, pubKeyAuth, clientNonce: client.nonce });
    const proved = await client.receive(tokenOf(await leg(proof)));
    assert.ok(
      serverBinding(6, publicKey, client.nonce).every(
        (byte, at) => byte === client.serverBinding(proved.pubKeyAuth)[at],
      ),
    );
    const last = await leg(await client.send({ authInfo: client.seal(passwordCredentials(alice)) }), Sspi.SEC_E_OK);
    assertGranted(last, Sspi.ASC_RET_DELEGATE);
    assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
    const { value } = Sspi.queryDelegatedCredentials(last.context!);
    assert.ok(value?.kind === 'password');
    assert.equal(value.password.toString(), alice.password);
  }
  Sspi.freeCredentialsHandle(credential);
  const freed = await witness.accept(credential, undefined, new Uint8Array(5), options);
  assertStatus(freed, Sspi.SEC_E_NO_CREDENTIALS);
}
