/** The contract alone: AcceptSecurityContext without HTTP, for a protocol of your own (LDAP, SMTP, a socket). */
import { randomBytes } from 'node:crypto';
import { memoryAccounts } from 'sspi-auth';
import {
  acceptSecurityContext,
  acquireCredentialsHandle,
  ASC_REQ_CONNECTION,
  deleteSecurityContext,
  freeCredentialsHandle,
  SECBUFFER_TOKEN,
  SECURITY_NATIVE_DREP,
  statusName,
} from 'sspi-auth/sspi';

const credential = await acquireCredentialsHandle({
  package: 'NTLM',
  credentialUse: 'inbound',
  authData: {
    accounts: memoryAccounts([{ userName: 'alice', password: randomBytes(16).toString('hex') }]),
    domain: 'CORP',
    computerName: 'WEB1',
  },
});
// A NEGOTIATE_MESSAGE as curl sends it (MS-NLMP 2.2.1.1): 32 bytes, OEM strings, no version.
const negotiate = Buffer.from('TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=', 'base64');
const { status, context, output } = await acceptSecurityContext({
  credential,
  context: undefined,
  input: [{ type: SECBUFFER_TOKEN, data: negotiate }],
  requirements: ASC_REQ_CONNECTION,
  targetDataRep: SECURITY_NATIVE_DREP,
});
console.log(statusName(status), `${output[0]?.data.byteLength ?? 0} bytes for the client`);
if (context !== undefined) deleteSecurityContext(context);
freeCredentialsHandle(credential);
