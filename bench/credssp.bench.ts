/**
 * Sign-ins over CredSSP through the contract, by leg: TLS is what they take most of. The client runs in the same process
 * and is not measured.
 */
import { memoryAccounts } from 'sspi-auth';
import {
  acceptSecurityContext,
  acquireCredentialsHandle,
  ASC_REQ_DELEGATE,
  deleteSecurityContext,
  findBuffer,
  freeCredentialsHandle,
  SEC_E_OK,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_TOKEN,
  SECURITY_NATIVE_DREP,
  securityPackage,
  statusName,
} from 'sspi-auth/sspi';
import type { ContextHandle, CredentialHandle } from 'sspi-auth/sspi';
import { CredSspClient, passwordCredentials } from '../test/packages/credssp/credssp-client.ts';
import { certificates } from '../test/vectors/certificates.ts';
import { median } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

const rounds = 15;
const signInsPerRound = 40;
const account = { userName: 'alice', domain: 'CORP', password: 'Wonderland-7' };
const legs = ['ClientHello', 'Finished', 'NTLM challenge', 'NTLM response and public key', 'password'];

/** One sign-in; the milliseconds of each leg of the server. */
async function signIn(credential: CredentialHandle, version: 'TLSv1.2' | 'TLSv1.3'): Promise<readonly number[]> {
  using client = new CredSspClient(account, { minVersion: version, maxVersion: version });
  const taken: number[] = [];
  let context: ContextHandle | undefined;
  const leg = async (data: Uint8Array): Promise<Uint8Array> => {
    const start = performance.now();
    const result = await acceptSecurityContext({
      ...{ credential, context, input: [{ type: SECBUFFER_TOKEN, data }] },
      ...{ requirements: ASC_REQ_DELEGATE, targetDataRep: SECURITY_NATIVE_DREP },
    });
    taken.push(performance.now() - start);
    ({ context } = result);
    const wanted = taken.length === legs.length ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    if (result.status !== wanted) throw new Error(statusName(result.status));
    return findBuffer(result.output, SECBUFFER_TOKEN)?.data ?? new Uint8Array(0);
  };
  const finished = await client.tls.next(await leg(await client.tls.next()));
  await client.tls.next(await leg(finished));
  const challenge = await client.receive(await leg(await client.send(client.first())));
  const negoToken = client.authenticate(challenge.negoToken);
  const pubKeyAuth = client.seal(client.binding());
  await client.receive(await leg(await client.send({ negoToken, pubKeyAuth, clientNonce: client.nonce })));
  await leg(await client.send({ authInfo: client.seal(passwordCredentials(account)) }));
  if (context !== undefined) deleteSecurityContext(context);
  return taken;
}

const benchmark: Benchmark = {
  name: 'CredSSP',
  async run(progress) {
    const ntlm = { accounts: memoryAccounts([account]), domain: 'CORP', computerName: 'WEB1' };
    const packages = [{ package: securityPackage('NTLM'), authData: ntlm }];
    const credential = await acquireCredentialsHandle({
      package: 'CREDSSP',
      credentialUse: 'inbound',
      authData: {
        schannel: { package: securityPackage('Schannel'), authData: certificates.server },
        negotiate: { package: securityPackage('Negotiate'), authData: { packages } },
        delegation: true,
      },
    });
    const rows: Row[] = [];
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      progress(`sign-ins over ${version}`);
      const byLeg: number[][] = legs.map(() => []);
      const perSecond: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const taken: (readonly number[])[] = [];
        for (let count = 0; count < signInsPerRound; count++) taken.push(await signIn(credential, version));
        // The first round warms up.
        if (round === 0) continue;
        const medians = legs.map((_, leg) => median(taken.map((one) => one[leg] ?? Number.NaN)));
        for (const [leg, value] of medians.entries()) byLeg[leg]?.push(value);
        perSecond.push(1000 / medians.reduce((sum, value) => sum + value, 0));
      }
      rows.push({
        name: `sign-ins over ${version} with RSA-2048, NTLM inside, the server's part`,
        value: median(perSecond),
        unit: 'per second',
        remark: legs.map((leg, index) => `${leg} ${median(byLeg[index] ?? []).toFixed(2)} ms`).join(', '),
        rounds: perSecond,
      });
    }
    freeCredentialsHandle(credential);
    return rows;
  },
};

export default benchmark;
