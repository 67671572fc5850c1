/** The contract over WinPR's NTLM and Negotiate, against clients on WinPR's own InitializeSecurityContextW. */
import { liveNativeHandles, secur32Packages } from '../../../src/native/secur32/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { tier } from '../../lab/tier.ts';
import {
  canEnterWinprNamespace,
  enterWinprNamespace,
  winprAccounts,
  WinprClient,
  winprLibrary,
} from '../../lab/winpr.ts';
import type { WinprIdentity } from '../../lab/winpr.ts';
import { contractSuite } from '../../sspi/contract-suite.ts';
import type { ClientKind, ContractSubject } from '../../sspi/contract-subject.ts';

const ready = await tier('winpr', [], canEnterWinprNamespace);
if (ready.skip === false) enterWinprNamespace();

const { domain, password } = winprAccounts.alice;
const identities: Readonly<Record<ClientKind, WinprIdentity>> = {
  right: { user: 'alice', domain, password },
  'wrong password': { user: 'alice', domain, password: 'not it' },
  'unknown user': { user: 'mallory', domain, password },
};

const differences: ContractSubject['differences'] = {
  'wrong password': {
    statuses: [Sspi.SEC_E_MESSAGE_ALTERED],
    because: 'with a wrong password its check of the MIC fails first',
  },
  'unknown user': { statuses: [Sspi.SEC_E_INTERNAL_ERROR], because: 'an account it does not find is an error to it' },
  'replayed last token': {
    statuses: [Sspi.SEC_E_MESSAGE_ALTERED],
    because: 'the MIC is over the challenge of the other handshake',
  },
  'message protection': {
    because: 'WinPR 2 has no MakeSignature and no VerifySignature on either side; its EncryptMessage signs as well',
  },
};

for (const packageName of ['NTLM', 'Negotiate']) {
  const open = (): ContractSubject => {
    const found = secur32Packages(winprLibrary).find(({ info }) => info.name === packageName);
    if (found === undefined) throw new Error(`WinPR has no ${packageName}`);
    return {
      package: found,
      requirements:
        Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_INTEGRITY | Sspi.ASC_REQ_CONFIDENTIALITY | Sspi.ASC_REQ_REPLAY_DETECT,
      client: (kind) => new WinprClient(packageName, identities[kind]),
      account: { userName: 'alice', domain },
      other: {
        userName: 'bob',
        client: () => new WinprClient(packageName, { user: 'bob', ...winprAccounts.bob }),
      },
      runs: packageName,
      differences,
      liveNative: () => {
        const { contexts, tokens, buffers } = liveNativeHandles();
        return { contexts, other: tokens + buffers };
      },
    };
  };
  contractSuite(`WinPR ${packageName}`, open, ready);
}
