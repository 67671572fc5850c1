import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import * as Sspi from '../../../src/sspi/index.ts';
import { vector, vectorIds } from '../../vectors/tokens.ts';
import { acceptor, both } from './acceptor.ts';
import { mechTypeList, negTokenInit, negTokenResp } from './client-tokens.ts';
import { clientMic, kerberosToken, ntlmToken } from './inner-packages.ts';
import { OID_KERBEROS, OID_KERBEROS_MICROSOFT, OID_NEGOEX, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

const fuzzRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

/** Changed, cut, doubled and swapped bytes. */
const mutation = fc.record({
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  cut: fc.option(fc.nat(), { nil: undefined }),
  insert: fc.option(fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })), { nil: undefined }),
});
function mutated(
  token: Uint8Array,
  { changes, cut, insert }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  let bytes = Uint8Array.from(token);
  for (const [at, value] of changes) bytes[at % bytes.byteLength] = value;
  if (insert !== undefined) {
    const at = insert[0] % (bytes.byteLength + 1);
    bytes = Uint8Array.from([...bytes.subarray(0, at), ...insert[1], ...bytes.subarray(at)]);
  }
  return cut === undefined ? bytes : bytes.subarray(0, cut % (bytes.byteLength + 1));
}

const results = new Set([
  Sspi.SEC_E_INVALID_TOKEN,
  Sspi.SEC_E_LOGON_DENIED,
  Sspi.SEC_E_INTERNAL_ERROR,
  Sspi.SEC_I_CONTINUE_NEEDED,
]);

describe('mutations of tokens that would be refused anyway', () => {
  it('end in a refusal or another leg, never in SEC_E_OK or an exception, and leave no context', () => {
    // Of no published token can the recorded packages say yes: their messages end in other words.
    const samples = vectorIds(/^(?:spnego|sample|apreq)\./).map(vector);
    const server = acceptor(both);
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        mutation,
        fc.constantFrom(...samples),
        mutation,
        (one, first, two, second) => {
          let result = server.leg(mutated(one, first));
          assert.ok(results.has(result.status), Sspi.statusName(result.status));
          if (result.context !== undefined) {
            result = server.leg(mutated(two, second), result.context);
            assert.ok(results.has(result.status), Sspi.statusName(result.status));
          }
          if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
          server.assertNothingLeft();
        },
      ),
      { numRuns: fuzzRuns },
    );
  });
});

describe('every prefix of every published token', () => {
  it('is refused or discarded as a first token, and refused as a later one (A03)', () => {
    const server = acceptor(both);
    for (const id of vectorIds(/^(?:spnego|sample|apreq)\./)) {
      const token = vector(id);
      for (let length = 0; length <= token.byteLength; length++) {
        const first = server.leg(token.subarray(0, length));
        const goesOn = first.status === Sspi.SEC_I_CONTINUE_NEEDED;
        // Only a whole NegTokenInit can be answered: one whose own mechanism is not here, or that has no token.
        assert.ok(results.has(first.status) && (!goesOn || length === token.byteLength), `${id}, ${length} bytes`);
        if (first.context !== undefined) Sspi.deleteSecurityContext(first.context);
        const { context } = server.leg(
          negTokenInit({ mechTypes: mechTypeList(OID_NTLM), mechToken: ntlmToken('more') }),
        );
        const later = server.leg(token.subarray(0, length), context);
        assert.equal(later.context, undefined, `${id}, ${length} bytes, second`);
      }
    }
    server.assertNothingLeft();
  });
});

describe('mutations of a whole handshake whose list is covered by a MIC', () => {
  const lists = [
    mechTypeList(OID_NTLM, OID_KERBEROS),
    mechTypeList(OID_NEGOEX, OID_NTLM),
    mechTypeList(OID_KERBEROS_MICROSOFT, OID_KERBEROS, OID_NTLM),
  ];

  it('never complete over a list that the client did not send (B04)', () => {
    fc.assert(
      fc.property(fc.constantFrom(...lists), fc.constantFrom(...lists), mutation, (sent, other, change) => {
        const server = acceptor(both);
        // Somebody in between replaces or spoils the list; the MIC is still over what the client sent.
        const arrived = mutated(other, change);
        const kerberosFirst = sent === lists[2];
        const mechToken = kerberosFirst ? kerberosToken('more') : ntlmToken('more');
        const last = kerberosFirst ? kerberosToken('ok') : ntlmToken('ok');
        let result = server.leg(negTokenInit({ mechTypes: arrived, mechToken }));
        for (const responseToken of [mechToken, last]) {
          if (result.status !== Sspi.SEC_I_CONTINUE_NEEDED) break;
          const finishing = responseToken === last;
          const mechListMic = finishing ? clientMic(sent) : undefined;
          const begun = server.kerberos.made + server.ntlm.made > 0;
          if (!finishing && begun) continue;
          result = server.leg(negTokenResp({ responseToken, mechListMic }), result.context);
        }
        if (result.status === Sspi.SEC_E_OK) assert.deepEqual(Buffer.from(arrived), Buffer.from(sent));
        if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
        server.assertNothingLeft();
      }),
      { numRuns: fuzzRuns },
    );
  });

  it('complete where nothing was changed', () => {
    for (const [sent, token] of [
      [lists[0]!, ntlmToken],
      [lists[2]!, kerberosToken],
    ] as const) {
      const server = acceptor(both);
      const { context } = server.leg(negTokenInit({ mechTypes: sent, mechToken: token('more') }));
      const last = server.leg(negTokenResp({ responseToken: token('ok'), mechListMic: clientMic(sent) }), context);
      assert.equal(last.status, Sspi.SEC_E_OK);
      Sspi.deleteSecurityContext(context!);
    }
  });
});
