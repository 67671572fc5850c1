/** What kerberos-accept.bench.ts measures of sspi-auth: a credential of a keytab, and one accept with its identity. */
import * as Sspi from 'sspi-auth/sspi';

/** @param replayCache as libkrb5 names it: `none:`, or `file2:` and a path */
export async function acquireNegotiate(keytab: string, replayCache: string): Promise<Sspi.CredentialHandle> {
  const authData = { packages: [{ package: Sspi.securityPackage('Kerberos'), authData: { keytab, replayCache } }] };
  return Sspi.acquireCredentialsHandle({ package: 'Negotiate', credentialUse: 'inbound', authData });
}

/** Accepts a SPNEGO token of alice, asks who she is, and deletes the context. @throws Error where that is not so */
export function acceptAlice(credential: Sspi.CredentialHandle, data: Uint8Array): void {
  // Kerberos answers at once unless told otherwise, and a server that looks for a promise first waits for none.
  const answered = Sspi.acceptSecurityContext({
    credential,
    context: undefined,
    input: [{ type: Sspi.SECBUFFER_TOKEN, data }],
    requirements: Sspi.ASC_REQ_CONNECTION,
    targetDataRep: Sspi.SECURITY_NATIVE_DREP,
  });
  if (answered instanceof Promise) throw new Error('not answered at once');
  const { status, context } = answered;
  if (context === undefined) throw new Error(Sspi.statusName(status));
  const { value } = Sspi.querySecurityContextToken(context);
  if (value?.userName !== 'alice') throw new Error('not alice');
  Sspi.deleteSecurityContext(context);
}
