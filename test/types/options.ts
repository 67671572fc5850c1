/** What the types promise, checked by `npm run check:types`: nothing here runs. */
import type { AccountSource, Identity, SchemeName, SharedStore, SspiAuthOptions } from '../../src/index.ts';
import { acquireCredentialsHandle } from '../../src/contract.ts';
import { createAuthenticator, memoryAccounts } from '../../src/index.ts';
import type { Equals, Expect } from './equals.ts';

export type OptionTypes = [
  Expect<Equals<SspiAuthOptions['schemes'], readonly SchemeName[] | undefined>>,
  Expect<Equals<SspiAuthOptions['store'], SharedStore | undefined>>,
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
