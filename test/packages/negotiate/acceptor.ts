/** Negotiate over recorded inner packages, driven through acceptSecurityContext as a server does. */
import assert from 'node:assert/strict';
import { decodeNegotiationToken } from '../../../src/formats/spnego.ts';
import type { NegTokenResp } from '../../../src/formats/spnego.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { innerPackage, newJournal } from './inner-packages.ts';
import type { InnerOptions, Journal } from './inner-packages.ts';

/** Names of both inner packages, in the order that most servers of these tests have. */
export const both = ['Kerberos', 'NTLM'] as const;

/** The NegTokenResp that is nothing but negState reject, in hex. */
export const REJECT = 'a1073005a0030a0102';

export interface Acceptor {
  readonly credential: Sspi.CredentialHandle;
  readonly kerberos: Journal;
  readonly ntlm: Journal;
  readonly leg: (token: Uint8Array, context?: Sspi.ContextHandle) => Sspi.AcceptSecurityContextResult;
  /** Every context that was made is deleted, exactly once. */
  readonly assertNothingLeft: () => void;
}

/** @param names inner packages, in the server's order */
export function acceptor(names: readonly ('Kerberos' | 'NTLM')[], options: InnerOptions = {}): Acceptor {
  const journals = { Kerberos: newJournal(), NTLM: newJournal() };
  const packages = names.map((name) => ({ package: innerPackage(name, journals[name], options) }));
  const credential = Sspi.acquireCredentialsHandle({
    package: negotiatePackage,
    credentialUse: 'inbound',
    authData: { packages },
  });
  assert.ok(!(credential instanceof Promise), 'sync stays sync');
  return {
    credential,
    kerberos: journals.Kerberos,
    ntlm: journals.NTLM,
    leg: (token, context) => {
      // A caller may reuse its buffer as soon as the call is over.
      const data = Uint8Array.from(token);
      const result = Sspi.acceptSecurityContext({
        credential,
        context,
        input: [{ type: Sspi.SECBUFFER_TOKEN, data }],
        requirements: Sspi.ASC_REQ_EXTENDED_ERROR,
        targetDataRep: Sspi.SECURITY_NATIVE_DREP,
      });
      data.fill(0);
      assert.ok(!(result instanceof Promise), 'sync stays sync');
      return result;
    },
    assertNothingLeft: () => {
      for (const journal of Object.values(journals)) assert.equal(journal.deleted, journal.made);
    },
  };
}

/** Bytes as text, to be compared. */
export function hex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex');
}

/** The token of a result, raw. */
export function outputToken(result: Sspi.AcceptSecurityContextResult): Uint8Array | undefined {
  return Sspi.findBuffer(result.output, Sspi.SECBUFFER_TOKEN)?.data;
}

/** The NegTokenResp of a result. */
export function response(result: Sspi.AcceptSecurityContextResult): NegTokenResp {
  const token = outputToken(result);
  assert.ok(token !== undefined, 'no output token');
  const decoded = decodeNegotiationToken(token);
  assert.ok(decoded.type === 'NegTokenResp');
  return decoded;
}

/** Fails unless the result is a refusal that left nothing behind. */
export function assertRefused(result: Sspi.AcceptSecurityContextResult, status: number): void {
  assert.equal(Sspi.statusName(result.status), Sspi.statusName(status));
  assert.equal(result.context, undefined);
  assert.equal(result.attributes, undefined);
}
