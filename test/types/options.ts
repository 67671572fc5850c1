/** What the types promise, checked by `npm run check:types`: nothing here runs. */
import type {
  AccountSource,
  Identity,
  KerberosKeys,
  KerberosKeysOptions,
  SchemeName,
  SharedStore,
  SspiAuthOptions,
} from '../../src/index.ts';
import { acquireCredentialsHandle } from '../../src/contract.ts';
import { createAuthenticator, kerberosKeys, memoryAccounts, memoryStore } from '../../src/index.ts';
import type { Equals, Expect } from './equals.ts';

export type OptionTypes = [
  Expect<Equals<SspiAuthOptions['schemes'], readonly SchemeName[] | undefined>>,
  Expect<Equals<SspiAuthOptions['store'], SharedStore | undefined>>,
  Expect<Equals<SspiAuthOptions['provider'], 'auto' | 'secur32' | 'gssapi' | 'portable' | undefined>>,
  Expect<Equals<SspiAuthOptions['keytab'], string | Uint8Array | KerberosKeys | undefined>>,
  Expect<Equals<SspiAuthOptions['replayCache'], string | boolean | undefined>>,
  Expect<Equals<SspiAuthOptions['clockSkewMilliseconds'], number | undefined>>,
  Expect<Equals<KerberosKeysOptions['servicePrincipalNames'], readonly string[]>>,
  Expect<Equals<KerberosKeysOptions['salt'], string | undefined>>,
  Expect<Equals<SspiAuthOptions['accounts'], AccountSource | undefined>>,
  Expect<Equals<SspiAuthOptions['channelBinding'], 'never' | 'whenSupported' | 'always' | undefined>>,
  Expect<Equals<SspiAuthOptions['persistence'], 'connection' | 'request' | undefined>>,
  Expect<Equals<NonNullable<SspiAuthOptions<{ path: string }>['skip']>, (request: { path: string }) => boolean>>,
  Expect<
    Equals<
      NonNullable<SspiAuthOptions<number>['authorize']>,
      (user: Identity, request: number) => boolean | Promise<boolean>
    >
  >,
];

export type IdentityTypes = [
  Expect<Equals<Identity['name'], string>>,
  Expect<Equals<Identity['package'], string>>,
  Expect<Equals<Identity['sid'], string | undefined>>,
  // Read-only throughout: requests of one connection share it.
  Expect<Equals<Pick<Identity, 'name'>, { readonly name: string }>>,
  Expect<Equals<Identity['groups'] extends unknown[] ? true : false, false>>,
];

const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
createAuthenticator({ accounts });
const service = { realm: 'R', servicePrincipalNames: ['HTTP/web'], account: 'svc-web', password: 'secret' };
createAuthenticator({ provider: 'portable', keytab: kerberosKeys(service), store: memoryStore() });
createAuthenticator({ keytab: Buffer.alloc(2), replayCache: '/run/app/replay', clockSkewMilliseconds: 60_000 });
createAuthenticator({ keytab: '/etc/http.keytab', replayCache: false });
// @ts-expect-error the keys are made by kerberosKeys, which wipes what it can
createAuthenticator({ keytab: service });
// @ts-expect-error a password is needed
kerberosKeys({ realm: 'R', servicePrincipalNames: ['HTTP/web'], account: 'svc-web' });
// @ts-expect-error one name is a list of one
kerberosKeys({ ...service, servicePrincipalNames: 'HTTP/web' });
// @ts-expect-error milliseconds, not a text
createAuthenticator({ clockSkewMilliseconds: '300s' });
// @ts-expect-error a provider that does not exist
createAuthenticator({ provider: 'mit' });
// @ts-expect-error a scheme that does not exist
createAuthenticator({ accounts, schemes: ['Bearer'] });
// @ts-expect-error exactOptionalPropertyTypes: leave it out instead
createAuthenticator({ accounts: undefined });
// @ts-expect-error a misspelt option
createAuthenticator({ acounts: accounts });

/** authData is that of the package that is named. */
export const credentials = (): unknown => [
  acquireCredentialsHandle({
    package: 'NTLM',
    credentialUse: 'inbound',
    authData: { accounts, domain: 'CORP', computerName: 'WEB', requireMic: true },
  }),
  acquireCredentialsHandle({
    package: 'NTLM',
    credentialUse: 'inbound',
    // @ts-expect-error ignored, it would let in clients that are to be refused
    authData: { accounts, domain: 'CORP', computerName: 'WEB', requiremic: true },
  }),
  acquireCredentialsHandle({ package: 'Kerberos', credentialUse: 'inbound', authData: { keytab: '/etc/http.keytab' } }),
  // @ts-expect-error Digest has no keytab
  acquireCredentialsHandle({ package: 'Digest', credentialUse: 'inbound', authData: { keytab: '/etc/http.keytab' } }),
];
