/** The package Kerberos of this library behind the contract, for tests. */
import { kerberosPackage } from '../../../src/native/gssapi/index.ts';
import type { KerberosAuthData } from '../../../src/native/gssapi/index.ts';
import { systemClock } from '../../../src/foundation/clock.ts';
import { portableKerberosPackage } from '../../../src/packages/kerberos/index.ts';
import type { PortableKerberosAuthData, ReplayMemory } from '../../../src/packages/kerberos/index.ts';
import { keySource } from '../../../src/packages/kerberos/keys/key-source.ts';
import {
  acceptSecurityContext,
  acquireCredentialsHandle,
  ASC_REQ_CONNECTION,
  deleteSecurityContext,
  freeCredentialsHandle,
  querySecurityContextToken,
  SECBUFFER_CHANNEL_BINDINGS,
  SECBUFFER_TOKEN,
  SECURITY_NATIVE_DREP,
  statusName,
} from '../../../src/sspi/index.ts';
import type {
  AcceptSecurityContextResult,
  ContextHandle,
  SecBuffer,
  SecurityContextToken,
} from '../../../src/sspi/index.ts';
import type { SecurityPackage } from '../../../src/sspi/security-package.ts';
import type { Kdc } from '../../lab/kdc.ts';

/** What the tests run against: a GSSAPI, or Kerberos without one. */
export interface GssapiUnderTest {
  readonly name: 'MIT krb5' | 'Heimdal' | 'sspi-auth';
  /** What names it; nothing for the one that is found without. */
  readonly options: { readonly library?: string; readonly provider?: 'portable' };
  /** The name in them. */
  readonly library: string | undefined;
}

function gssapi(name: GssapiUnderTest['name'], library?: string): GssapiUnderTest {
  return { name, options: library === undefined ? {} : { library }, library };
}

/** The one that comes first where both are installed. */
export const mit = gssapi('MIT krb5');
export const heimdal = gssapi('Heimdal', 'libgssapi.so.3');
/** No library at all. The name stands where those above have theirs; nothing is loaded by it. */
export const portable: GssapiUnderTest = { ...gssapi('sspi-auth', 'none'), options: { provider: 'portable' } };

/** What one accept came to, read and deleted again. */
export interface Verified {
  readonly status: string;
  readonly token: SecurityContextToken | undefined;
  /** Text for the operator. */
  readonly why: string;
  readonly output: readonly SecBuffer[];
  readonly attributes: number;
  readonly expiry: Date | undefined;
}

/** How to verify one token. */
export interface VerifyOptions {
  readonly requirements?: number;
  /** SEC_CHANNEL_BINDINGS. */
  readonly bindings?: Uint8Array;
}

/** A credential that verifies tokens. */
export interface Acceptor extends Disposable {
  /** The whole result; its context is the caller's to delete. */
  accept(token: Uint8Array, options?: VerifyOptions): Promise<AcceptSecurityContextResult>;
  /** The result and the account; the context is deleted. */
  verify(token: Uint8Array, options?: VerifyOptions): Promise<Verified>;
}

/** Lets libkrb5 in this process see the realm of a KDC; once for a test file, before anything is acquired. */
export function useRealm(kdc: Pick<Kdc, 'env'>): void {
  Object.assign(process.env, kdc.env);
}

/** The package and authData of what a test runs against: `portable` if its name stands in `library`. */
export function packageUnderTest(authData: KerberosAuthData): {
  readonly package: SecurityPackage;
  readonly authData: KerberosAuthData | PortableKerberosAuthData;
} {
  if (authData.library !== portable.library) return { package: kerberosPackage, authData };
  const { keytab, replayCache, asynchronous, library, ...rest } = authData;
  const { clock = systemClock, onWarning = () => undefined } = rest;
  const keys = keySource(keytab, { clock, onWarning, option: 'authData.keytab' });
  const memory = new Set<string>();
  const claim = (hash: Buffer): boolean => {
    const size = memory.size;
    return memory.add(hash.toString('latin1')).size > size;
  };
  const replay: ReplayMemory = { claim: asynchronous === true ? async (hash) => Promise.resolve(claim(hash)) : claim };
  return {
    package: portableKerberosPackage,
    authData: { ...rest, keys, replay: replayCache === false ? false : replay },
  };
}

/** Acquires a credential. */
export async function acceptor(authData: KerberosAuthData): Promise<Acceptor> {
  const credential = await acquireCredentialsHandle({ ...packageUnderTest(authData), credentialUse: 'inbound' });
  const accept = async (token: Uint8Array, options: VerifyOptions = {}): Promise<AcceptSecurityContextResult> => {
    const input: SecBuffer[] = [{ type: SECBUFFER_TOKEN, data: token }];
    if (options.bindings !== undefined) input.push({ type: SECBUFFER_CHANNEL_BINDINGS, data: options.bindings });
    const requirements = options.requirements ?? ASC_REQ_CONNECTION;
    const targetDataRep = SECURITY_NATIVE_DREP;
    return acceptSecurityContext({ credential, context: undefined, input, requirements, targetDataRep });
  };
  return {
    accept,
    async verify(token, options) {
      const result = await accept(token, options);
      const account = result.context === undefined ? undefined : accountOf(result.context);
      if (result.context !== undefined) deleteSecurityContext(result.context);
      return {
        status: statusName(result.status),
        token: account,
        why: result.diagnosis?.text ?? '',
        output: result.output,
        attributes: result.attributes ?? 0,
        expiry: result.expiry,
      };
    },
    [Symbol.dispose]() {
      freeCredentialsHandle(credential);
    },
  };
}

/** The account of an established context. */
export function accountOf(context: ContextHandle): SecurityContextToken {
  const { value } = querySecurityContextToken(context);
  if (value === undefined) throw new Error('the context has no account');
  return value;
}

/** The TOKEN buffer of an output. */
export function outputToken(output: readonly SecBuffer[]): Uint8Array {
  const found = output.find(({ type }) => type === SECBUFFER_TOKEN);
  if (found === undefined) throw new Error('no output token');
  return found.data;
}
