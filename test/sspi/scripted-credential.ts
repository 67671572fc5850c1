/** A credential of a scripted package, used through the contract. */
import assert from 'node:assert/strict';
import * as Sspi from '../../src/sspi/index.ts';
import { firstToken, ScriptedPackage } from '../authenticator/scripted-package.ts';
import type { Script } from '../authenticator/scripted-package.ts';

type Result = Sspi.AcceptSecurityContextResult;

/** Steps that every test has. */
const script: Script = {
  go: {
    status: Sspi.SEC_I_CONTINUE_NEEDED,
    output: 'challenge',
    attributes: Sspi.ASC_RET_INTEGRITY,
    expiry: new Date(1),
  },
  yes: { attributes: Sspi.ASC_RET_INTEGRITY, expiry: new Date(7), output: 'last' },
  no: { status: Sspi.SEC_E_LOGON_DENIED, output: 'error token', diagnosis: { text: 'because' } },
  slow: { waits: true },
  slowNo: { waits: true, status: Sspi.SEC_E_LOGON_DENIED },
  throws: { throws: new Error('a secret') },
  nothing: { raw: undefined },
  complete: { status: Sspi.SEC_I_COMPLETE_NEEDED, output: 'c', completion: { attributes: 5 } },
  completeAndContinue: { status: Sspi.SEC_I_COMPLETE_AND_CONTINUE, output: 'c', completion: { attributes: 5 } },
};

/** A credential of the scripted package, and what a test does with it. */
export interface ScriptedCredential {
  readonly owner: ScriptedPackage;
  readonly credential: Sspi.CredentialHandle;
  /** One leg; the text is that of a first token where there is no context. */
  readonly call: (
    context: Sspi.ContextHandle | undefined,
    text: string,
    more?: Partial<Sspi.AcceptSecurityContextParameters>,
  ) => Result | Promise<Result>;
}

/**
 * Acquires a credential.
 *
 * @param more steps beside those that every test has
 * @param name of the package
 */
export function scriptedCredential(more: Script = {}, name?: string): ScriptedCredential {
  const owner = new ScriptedPackage({ ...script, ...more }, name);
  const credential = Sspi.acquireCredentialsHandle({
    package: owner,
    credentialUse: 'inbound',
  }) as Sspi.CredentialHandle;
  return {
    owner,
    credential,
    call: (context, text, parameters = {}) =>
      Sspi.acceptSecurityContext({
        credential,
        context,
        input: [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(context ? text : firstToken(text), 'latin1') }],
        requirements: Sspi.ASC_REQ_CONNECTION,
        targetDataRep: Sspi.SECURITY_NATIVE_DREP,
        ...parameters,
      }),
  };
}

/** A result that was there at once, by the name of its status. */
export function now(result: Result | Promise<Result>): Result & { readonly name: string } {
  assert.ok(!(result instanceof Promise), 'a package that answers at once is answered for at once');
  return { ...result, name: Sspi.statusName(result.status) };
}
