/** What a package is asked for, as its options say. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { verifyDigestFields, verifyToken } from '../../src/authenticator/verification.ts';
import type { VerificationResult } from '../../src/authenticator/verification.ts';
import type { OfferedScheme } from '../../src/authenticator/offered-scheme.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { firstToken, ScriptedPackage } from './scripted-package.ts';
import type { Step } from './scripted-package.ts';

const requirements = Sspi.ASC_REQ_DELEGATE;
const requiredAttributes = Sspi.ASC_REQ_INTEGRITY;

/** A scheme of a package that says yes, which keeps the calls. */
function offer(more: Partial<OfferedScheme> = {}, right: Step = {}): { owner: ScriptedPackage; scheme: OfferedScheme } {
  const owner = new ScriptedPackage({ right });
  const credential = Sspi.acquireCredentialsHandle({
    package: owner,
    credentialUse: 'inbound',
  }) as Sspi.CredentialHandle;
  return { owner, scheme: { name: 'NTLM', provider: 'scripted', boundTo: 'connection', credential, ...more } };
}

describe('the requirements of a leg', () => {
  const always = Sspi.ASC_REQ_CONNECTION;
  for (const [what, more, expected] of [
    ['of a scheme that asks for nothing', {}, always],
    ['with what the scheme asks for', { requirements }, always | requirements],
    ['with what a finished context must have', { requiredAttributes }, always | requiredAttributes],
    ['with both', { requirements, requiredAttributes }, always | requirements | requiredAttributes],
  ] as const) {
    it(what, () => {
      const { owner, scheme } = offer(more);
      const token = Buffer.from(firstToken('right'), 'latin1');
      for (const [bindings, missing] of [
        [undefined, 0],
        [Buffer.alloc(32), Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS],
      ] as const) {
        const result = verifyToken(scheme, undefined, token, { mode: 'whenSupported', bindings });
        assert.ok('type' in result && result.type === 'accepted');
        Sspi.deleteSecurityContext(result.context);
        assert.equal(owner.calls.at(-1)?.requirements, (expected | missing) >>> 0);
        assert.equal(owner.calls.at(-1)?.targetDataRep, Sspi.SECURITY_NATIVE_DREP);
      }
    });
  }
});

describe('the channel bindings of a leg', () => {
  for (const mode of ['whenSupported', 'always'] as const) {
    it(`are of the type SECBUFFER_CHANNEL_BINDINGS and no flag, as every package looks for them (${mode}, C16)`, () => {
      const { owner, scheme } = offer();
      const bindings = Buffer.alloc(40, 7);
      const result = verifyToken(scheme, undefined, Buffer.from(firstToken('right'), 'latin1'), { mode, bindings });
      assert.ok('type' in result && result.type === 'accepted');
      Sspi.deleteSecurityContext(result.context);
      assert.deepEqual(
        owner.calls[0]?.input.map(({ type }) => type),
        [Sspi.SECBUFFER_TOKEN, 14],
      );
      assert.deepEqual(owner.calls[0]?.input[1]?.data, bindings);
    });
  }
});

describe('a leg without the bindings that must be there', () => {
  it('is refused, and ends the handshake that it belongs to', () => {
    const { owner, scheme } = offer({}, { status: Sspi.SEC_I_CONTINUE_NEEDED });
    const token = Buffer.from(firstToken('right'), 'latin1');
    const leg = (context: Sspi.ContextHandle | undefined, bindings: Uint8Array | undefined): VerificationResult => {
      const result = verifyToken(scheme, context, token, { mode: 'always', bindings });
      assert.ok(!(result instanceof Promise));
      return result;
    };
    const begun = leg(undefined, Buffer.alloc(32));
    assert.ok(begun.type === 'continue' && owner.live === 1);
    for (const context of [begun.context, undefined]) {
      const refused = leg(context, undefined);
      assert.deepEqual([refused.type, 'status' in refused && refused.status], ['refused', Sspi.SEC_E_BAD_BINDINGS]);
      assert.equal(owner.live, 0);
    }
    assert.equal(owner.calls.length, 1);
  });
});

describe('the attributes of a finished context', () => {
  for (const [what, step, expected] of [
    ['are none where the package names none', {}, 0],
    ['are those of the package', { attributes: Sspi.ASC_RET_INTEGRITY }, Sspi.ASC_RET_INTEGRITY],
  ] as const) {
    it(what, () => {
      const { scheme } = offer({}, step);
      const token = Buffer.from(firstToken('right'), 'latin1');
      const result = verifyToken(scheme, undefined, token, { mode: 'never', bindings: undefined });
      assert.ok('type' in result && result.type === 'accepted');
      Sspi.deleteSecurityContext(result.context);
      assert.equal(result.attributes, expected);
    });
  }
});

describe('Digest', () => {
  it('is verified by the fields, the method and the target of its request, byte for byte', () => {
    const { owner, scheme } = offer();
    const [fields, method, target] = ['username="J\u00fcrgen"', 'POST', '/caf\u00e9?a=1'] as const;
    const result = verifyDigestFields(scheme, fields, method, target);
    assert.ok('type' in result && result.type === 'refused');
    const [call] = owner.calls;
    assert.equal(call?.requirements, Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_HTTP);
    assert.deepEqual(
      call?.input.map(({ type, data }) => [type, Buffer.from(data)]),
      [
        [Sspi.SECBUFFER_TOKEN, Buffer.from(fields, 'latin1')],
        [Sspi.SECBUFFER_PKG_PARAMS, Buffer.from(method, 'latin1')],
        [Sspi.SECBUFFER_PKG_PARAMS, Buffer.from(target, 'latin1')],
      ],
    );
  });
});
