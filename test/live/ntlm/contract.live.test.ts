/** The contract over the NTLM package of this library, against clients on WinPR's own InitializeSecurityContextW. */
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { tier } from '../../lab/tier.ts';
import { WinprClient } from '../../lab/winpr.ts';
import { contractSuite } from '../../sspi/contract-suite.ts';
import type { ClientKind } from '../../sspi/contract-subject.ts';

const ready = await tier('winpr');
process.env['WLOG_LEVEL'] = 'OFF';

const users: Readonly<Record<ClientKind, { readonly user: string; readonly password: string }>> = {
  right: { user: 'alice', password: 'wonderland' },
  'wrong password': { user: 'alice', password: 'not it' },
  'unknown user': { user: 'mallory', password: 'wonderland' },
};

for (const later of [false, true]) {
  const table = memoryAccounts([
    { userName: 'alice', domain: 'LAB', password: 'wonderland' },
    { userName: 'bob', domain: 'LAB', password: 'builder' },
  ]);
  contractSuite(
    `NTLM with an account source that answers ${later ? 'later' : 'at once'}`,
    () => ({
      package: ntlmPackage,
      authData: {
        accounts: {
          description: 'contract',
          verifyNtlm: (logon) => {
            const result = table.verifyNtlm!(logon);
            return later ? Promise.resolve(result) : result;
          },
        } satisfies typeof table,
        domain: 'LAB',
        computerName: 'SERVER',
      },
      requirements: Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_INTEGRITY | Sspi.ASC_REQ_CONFIDENTIALITY,
      client: (kind) => new WinprClient('NTLM', { domain: 'LAB', ...users[kind] }),
      account: { userName: 'alice', domain: 'LAB' },
      other: {
        userName: 'bob',
        client: () => new WinprClient('NTLM', { domain: 'LAB', user: 'bob', password: 'builder' }),
      },
      runs: 'NTLM',
      differences: {
        'message protection': { because: 'the client, WinPR 2, has no MakeSignature and no VerifySignature' },
      },
    }),
    ready,
  );
}
