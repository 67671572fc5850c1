/**
 * The options of an application in its tests. Policy stays what it is (`authorize`, `anonymous`, `skip`, `refuse` and
 * the like); what concerns the machine, such as keytabs, accounts and providers, is left out.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { describeSignIn, memoryAccounts, OptionError, SecurityContextInfo, SspiAuthError } from '../../src/index.ts';
import type { Identity, SspiAuthOptions } from '../../src/index.ts';
import { TEST_SCHEME } from './signed-users.ts';
import type { SignedUsers } from './signed-users.ts';
import { identityOfTest } from './test-user.ts';

/** Options that mean the same in a test. */
const policies = [
  'anonymous',
  'authorize',
  'challenges',
  'clock',
  'limits',
  'logger',
  'nameFormat',
  'otherSchemes',
  'random',
  'refuse',
] as const satisfies readonly (keyof SspiAuthOptions)[];

/** What a 401 offers in tests. Nobody can sign in by it. */
const offered: readonly string[] = ['Negotiate', 'NTLM'];

/**
 * The options for tests.
 *
 * @param options those of the application
 * @param rawOf gives the request of node:http
 */
export function testOptions<R, C extends readonly unknown[]>(
  options: SspiAuthOptions<R, C> | undefined,
  users: SignedUsers,
  rawOf: (request: R) => IncomingMessage,
): SspiAuthOptions<R, C> {
  const given: SspiAuthOptions<R, C> = options ?? {};
  const { skip, schemesFor, otherSchemes } = given;
  const kept = Object.fromEntries(
    Object.entries(given).filter(([name]) => (policies as readonly string[]).includes(name)),
  );
  return {
    logger: false,
    ...(kept as SspiAuthOptions<R, C>),
    schemes: ['Negotiate', 'NTLM'],
    packages: ['NTLM'],
    provider: 'portable',
    accounts: memoryAccounts([{ userName: 'sspi-auth-testing', password: randomBytes(32).toString('hex') }]),
    // Asked first, for every request.
    skip: (request: R): boolean => {
      refuseForeign(rawOf(request));
      return skip?.(request) ?? false;
    },
    ...(schemesFor && {
      schemesFor: (request: R) => schemesFor(request).filter((name) => offered.includes(name)),
    }),
    otherSchemes: {
      ...otherSchemes,
      [TEST_SCHEME]: (request: R) => verify(given, users, rawOf(request), request),
    },
  };
}

function verify<R, C extends readonly unknown[]>(
  { enrich, nameFormat }: SspiAuthOptions<R, C>,
  users: SignedUsers,
  raw: IncomingMessage,
  request: R,
): Identity | undefined | Promise<Identity> {
  const user = users.verify(raw.headers.authorization);
  if (user === undefined) return undefined;
  const identity = identityOfTest(user, nameFormat);
  if (enrich === undefined) return described(identity);
  const added: unknown = enrich(identity, request);
  return added instanceof Promise
    ? added.then((settled) => described(enrichedUser(settled)))
    : described(enrichedUser(added));
}

/** Gives the request what a sign-in would have as `request.sspi`. There is no context, so nothing is delegated. */
function described(user: Identity): Identity {
  const { package: packageName } = user;
  const scheme = packageName === 'Kerberos' ? 'Negotiate' : packageName;
  const none = { provider: 'portable', attributes: 0, channelBound: false, expiry: undefined };
  describeSignIn(user, new SecurityContextInfo({ ...none, scheme, package: packageName }, undefined));
  return user;
}

/** As with a sign-in: an identity that `enrich` has lost is an error, and no refusal. */
function enrichedUser(added: unknown): Identity {
  if (typeof added === 'object' && added !== null) return added as Identity;
  throw new OptionError('enrich', 'did not return an object', 'Return the user with what is added.');
}

/**
 * Refuses a request that has come from another machine (attack H12).
 *
 * @throws SspiAuthError the request gets 500
 */
function refuseForeign({ socket }: IncomingMessage): void {
  const address = (socket as { readonly remoteAddress?: unknown } | undefined)?.remoteAddress;
  if (typeof address === 'string' && /^(?:::1|(?:::ffff:)?127(?:\.\d{1,3}){3})$/i.test(address)) return;
  throw new SspiAuthError(
    'ERR_SSPI_AUTH_OPTION',
    'sspi-auth: sspi-auth/testing answers requests of this machine alone (127.0.0.1, ::1, and inject). ' +
      'An application that others reach needs an adapter that signs them in, such as sspi-auth/express',
  );
}
