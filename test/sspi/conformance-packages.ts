/** The rows of the packages. */
import assert from 'node:assert/strict';
import { negotiatePackage } from '../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { WinprClient } from '../lab/winpr.ts';
import { kerberosSignsIn, negotiateRunsKerberos } from './conformance-kerberos.ts';
import { PASSWORD, accounts, assertStatus, ntlm, digestSignsIn } from './conformance-handshakes.ts';
import { credsspSignsIn } from './conformance-credssp.ts';
import { schannelEstablishes } from './conformance-schannel.ts';
import type { ConformanceRow } from './conformance-row.ts';

export const packageRows: readonly ConformanceRow[] = [
  {
    kind: 'package',
    name: 'Negotiate',
    says: 'MIT’s SPNEGO client with a ticket and WinPR’s client with NTLM end in SEC_E_OK; the package that ran is told',
    needs: ['winpr', 'kdc'],
    async holds(witness) {
      await negotiateRunsKerberos(witness);
      const inner = { package: ntlmPackage, authData: { accounts, domain: 'LAB', computerName: 'SERVER' } };
      const credential = await witness.acquire(negotiatePackage, { packages: [inner] });
      using client = new WinprClient('Negotiate', { user: 'alice', domain: 'LAB', password: PASSWORD });
      let result = await witness.accept(credential, undefined, client.next(undefined)!);
      for (let leg = 0; leg < 3 && result.status === Sspi.SEC_I_CONTINUE_NEEDED; leg++) {
        result = await witness.accept(credential, result.context, client.next(result.output[0]!.data)!);
      }
      assertStatus(result, Sspi.SEC_E_OK);
      assert.equal(Sspi.querySecurityContextToken(result.context!).value?.userName, 'alice');
      const ran = Sspi.queryContextAttributes(result.context!, Sspi.SECPKG_ATTR_NEGOTIATION_INFO).value;
      assert.equal(ran?.package.name, 'NTLM');
    },
  },
  {
    kind: 'package',
    name: 'Kerberos',
    says: 'a ticket of an MIT KDC ends in SEC_E_OK and names the account; MIT’s client finds the server genuine',
    needs: ['kdc'],
    holds: kerberosSignsIn,
  },
  {
    kind: 'package',
    name: 'NTLM',
    says: 'an NTLMv2 handshake of two legs ends in SEC_E_OK and names the account',
    async holds(witness) {
      const { last } = await ntlm(witness);
      assertStatus(last, Sspi.SEC_E_OK);
      assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
    },
  },
  {
    kind: 'package',
    name: 'Digest',
    says: 'a challenge and its SHA-256 answer end in SEC_E_OK and name the account',
    async holds(witness) {
      const { last } = await digestSignsIn(witness);
      assert.equal(Sspi.querySecurityContextToken(last.context!).value?.userName, 'alice');
    },
  },
  {
    kind: 'package',
    name: 'Schannel',
    says: 'TLS 1.2 and 1.3 handshakes of Node’s own client end in SEC_E_OK, and it finds the server genuine',
    holds: schannelEstablishes,
  },
  {
    kind: 'package',
    name: 'CredSSP',
    says: 'five legs over TLS 1.2 and 1.3, both sides prove the key, the password comes last: SEC_E_OK names the account',
    holds: credsspSignsIn,
  },
];
