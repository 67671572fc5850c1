/**
 * Runs under Wine: message protection of Kerberos between a client on Wine's own InitializeSecurityContextW and a
 * context of the package. Prints one line of JSON.
 */
import * as Sspi from 'sspi-auth/sspi';
// Beside this file in the application's folder.
import { WinprClient } from '../../lab/winpr.ts';

const data = (bytes: Uint8Array): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_DATA, data: bytes });
const token = (bytes: Uint8Array): Sspi.SecBuffer => ({ type: Sspi.SECBUFFER_TOKEN, data: bytes });

const credential = await Sspi.acquireCredentialsHandle({ package: 'Kerberos', credentialUse: 'inbound' });

/** A finished handshake. */
async function handshake(): Promise<{ client: WinprClient; context: Sspi.ContextHandle; attributes: number }> {
  const client = new WinprClient('Kerberos', undefined, { library: 'secur32.dll' });
  let result: Sspi.AcceptSecurityContextResult | undefined;
  do {
    const next = client.next(result?.output[0]?.data);
    if (next === undefined) break;
    result = await Sspi.acceptSecurityContext({
      credential,
      context: result?.context,
      input: [token(next)],
      requirements: Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_INTEGRITY | Sspi.ASC_REQ_CONFIDENTIALITY,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
  } while (result.status === Sspi.SEC_I_CONTINUE_NEEDED);
  if (result?.context === undefined || result.status !== Sspi.SEC_E_OK) {
    throw new Error(Sspi.statusName(result?.status ?? Sspi.SEC_E_INTERNAL_ERROR));
  }
  return { client, context: result.context, attributes: result.attributes ?? 0 };
}

const ours = Buffer.from('a message of the server');
const theirs = Buffer.from('a message of the client');
const report: Record<string, unknown> = {};
{
  const { client, context, attributes } = await handshake();
  report['integrity'] = (attributes & Sspi.ASC_RET_INTEGRITY) !== 0;
  report['maxSignature'] = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_SIZES).value?.maxSignature;
  report['package'] = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value?.package.name;
  const signed = Sspi.makeSignature(context, [data(ours)]);
  report['clientVerifies'] = client.verifySignature(ours, signed.value?.[0]?.data ?? new Uint8Array(0));
  const good = client.makeSignature(theirs);
  report['serverVerifies'] = Sspi.statusName(Sspi.verifySignature(context, [data(theirs), token(good)]).status);
  const altered = client.makeSignature(theirs);
  const result = Sspi.verifySignature(context, [data(Buffer.from('another message')), token(altered)]);
  report['altered'] = Sspi.statusName(result.status);
  Sspi.deleteSecurityContext(context);
  client[Symbol.dispose]();
}
{
  // Towards the client only signing is tried: Wine says its trailer has 49 bytes and then needs 60.
  const { client, context } = await handshake();
  const reply = client.encryptMessage(theirs);
  report['hidden'] = !Buffer.from(reply.data).equals(theirs);
  const opened = await Sspi.decryptMessage(context, [token(reply.token), data(reply.data)]);
  report['serverReads'] = Buffer.from(opened.value?.[0]?.data ?? []).toString();
  const next = client.encryptMessage(theirs);
  next.data[0] = (next.data[0] ?? 0) ^ 1;
  const result = await Sspi.decryptMessage(context, [token(next.token), data(next.data)]);
  report['alteredSecret'] = result.status >= 0x80000000 && result.value === undefined;
  Sspi.deleteSecurityContext(context);
  client[Symbol.dispose]();
}
Sspi.freeCredentialsHandle(credential);
report['held'] = { contract: Sspi.liveHandles(), native: Sspi.liveNativeHandles() };
console.log(JSON.stringify(report));
