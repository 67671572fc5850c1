/** The contract over the Kerberos package, bare and under Negotiate, against MIT's libgssapi, Heimdal's and none, with tickets of an MIT KDC. */
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient, GssMechanism } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import { tier } from '../../lab/tier.ts';
import { contractSuite } from '../../sspi/contract-suite.ts';
import type { ContractClient, ContractSubject } from '../../sspi/contract-subject.ts';
import { heimdal, mit, packageUnderTest, portable, useRealm } from './acceptor.ts';
import type { GssapiUnderTest } from './acceptor.ts';

const kdcTier = await tier('kdc', gssClientPackages);
const heimdalTier = await tier('heimdal', gssClientPackages);

/** A context of a client that other contexts use after it: what it has to say, it says before the next one begins. */
function contractClient(client: GssClient, mech: GssMechanism): ContractClient {
  return {
    async next(serverToken) {
      if (serverToken === undefined) return client.initiate({ mech });
      const { token } = await client.step(serverToken);
      return token.byteLength === 0 ? undefined : token;
    },
    makeSignature: (message) => client.sign(message),
    verifySignature: (message, signature) =>
      client.verify(message, signature).then(
        () => true,
        () => false,
      ),
    async encryptMessage(message) {
      const wrapped = await client.wrap(message);
      const trailer = wrapped.byteLength - message.byteLength;
      return { token: wrapped.subarray(0, trailer), data: wrapped.subarray(trailer) };
    },
    decryptMessage: (token, data) => client.unwrap(Buffer.concat([token, data])),
    [Symbol.dispose]: () => undefined,
  };
}

const oneLeg = 'its first leg is its last; a second one is in accept.live.test.ts (B11)';
const differences: ContractSubject['differences'] = {
  'last token first': { because: oneLeg },
  'first token twice': { because: oneLeg },
  'second leg': { because: oneLeg },
  'unknown user': { because: 'the KDC knows the users: whoever has a ticket is one' },
};

interface Variant {
  readonly gssapi?: GssapiUnderTest;
  readonly mech: GssMechanism;
  readonly asynchronous: boolean;
}

const variants: Readonly<Record<string, Variant>> = {
  'Kerberos, synchronous': { mech: 'kerberos', asynchronous: false },
  'Kerberos, asynchronous': { mech: 'kerberos', asynchronous: true },
  'Kerberos under Negotiate': { mech: 'spnego', asynchronous: false },
  'Kerberos of Heimdal, synchronous': { gssapi: heimdal, mech: 'kerberos', asynchronous: false },
  'Kerberos of Heimdal, asynchronous': { gssapi: heimdal, mech: 'kerberos', asynchronous: true },
  'Kerberos without a library': { gssapi: portable, mech: 'kerberos', asynchronous: false },
  'Kerberos without a library, replay memory asynchronous': { gssapi: portable, mech: 'kerberos', asynchronous: true },
  'Kerberos without a library under Negotiate': { gssapi: portable, mech: 'spnego', asynchronous: false },
  'Kerberos of Heimdal under Negotiate': { gssapi: heimdal, mech: 'spnego', asynchronous: false },
};

for (const [name, { gssapi = mit, mech, asynchronous }] of Object.entries(variants)) {
  const open = async (): Promise<ContractSubject> => {
    const kdc = await startKdc();
    // The same realm by name, with other keys: its tickets are to this server what a wrong password is elsewhere.
    const impostor = await startKdc();
    const right = await startGssClient(await kdc.signIn('alice'));
    const bob = await startGssClient(await kdc.signIn('bob'));
    const wrong = await startGssClient(await impostor.signIn('alice'));
    useRealm(kdc);
    const authData = { keytab: kdc.keytab, asynchronous, library: gssapi.library };
    const inner = packageUnderTest(authData);
    return {
      ...(mech === 'kerberos' ? inner : { package: negotiatePackage, authData: { packages: [inner] } }),
      requirements:
        Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_INTEGRITY | Sspi.ASC_REQ_CONFIDENTIALITY | Sspi.ASC_REQ_REPLAY_DETECT,
      client: (kind) => contractClient(kind === 'right' ? right : wrong, mech),
      account: { userName: 'alice' },
      other: { userName: 'bob', client: () => contractClient(bob, mech) },
      runs: 'Kerberos',
      differences,
      async close() {
        for (const client of [right, bob, wrong]) await client[Symbol.asyncDispose]();
        await impostor.stop();
        await kdc.stop();
      },
    };
  };
  contractSuite(name, open, gssapi === heimdal ? heimdalTier : kdcTier);
}
