/** The contract over Negotiate, against WinPR's clients. */
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { decodeNegotiationToken } from '../../../src/formats/spnego.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import type { NegotiateAuthData } from '../../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { tier } from '../../lab/tier.ts';
import { WinprClient } from '../../lab/winpr.ts';
import type { WinprIdentity } from '../../lab/winpr.ts';
import { mechTypeList, negTokenInit, negTokenResp } from '../../packages/negotiate/client-tokens.ts';
import { contractSuite } from '../../sspi/contract-suite.ts';
import type { ClientKind, ContractClient, ContractSubject } from '../../sspi/contract-subject.ts';
import { OID_NEGOEX, OID_NTLM } from '../../../src/formats/object-identifiers.ts';

const right = { user: 'alice', domain: 'CORP', password: 'secret' };
const identities: Readonly<Record<ClientKind, WinprIdentity>> = {
  right,
  'wrong password': { ...right, password: 'not it' },
  'unknown user': { ...right, user: 'mallory' },
};

const other = { user: 'bob', domain: 'CORP', password: 'of bob' };

const accounts = memoryAccounts([right, other].map(({ user, ...rest }) => ({ userName: user, ...rest })));
const authData: NegotiateAuthData = {
  packages: [{ package: ntlmPackage, authData: { accounts, domain: 'CORP', computerName: 'SERVER' } }],
};

/** SPNEGO's frames, of this test's making, around the messages of WinPR's NTLM. */
class FramedClient implements ContractClient {
  readonly #ntlm: WinprClient;

  constructor(identity: WinprIdentity) {
    this.#ntlm = new WinprClient('NTLM', identity);
  }

  next(serverToken: Uint8Array | undefined): Uint8Array | undefined {
    if (serverToken === undefined) {
      return negTokenInit({ mechTypes: mechTypeList(OID_NTLM, OID_NEGOEX), mechToken: this.#ntlm.next(undefined) });
    }
    const response = decodeNegotiationToken(serverToken);
    if (response.type !== 'NegTokenResp' || response.responseToken === undefined) return undefined;
    return negTokenResp({ responseToken: this.#ntlm.next(response.responseToken) });
  }

  encryptMessage(message: Uint8Array): { token: Uint8Array; data: Uint8Array } {
    return this.#ntlm.encryptMessage(message);
  }

  decryptMessage(token: Uint8Array, data: Uint8Array): Uint8Array {
    return this.#ntlm.decryptMessage(token, data);
  }

  [Symbol.dispose](): void {
    this.#ntlm[Symbol.dispose]();
  }
}

const clients: Readonly<Record<string, (identity: WinprIdentity) => ContractClient>> = {
  "WinPR's Negotiate client, which sends raw NTLM": (identity) => new WinprClient('Negotiate', identity),
  "WinPR's NTLM in SPNEGO": (identity) => new FramedClient(identity),
};
const ready = await tier('winpr');

for (const [name, client] of Object.entries(clients)) {
  const open = (): ContractSubject => ({
    package: negotiatePackage,
    authData,
    requirements:
      Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_INTEGRITY | Sspi.ASC_REQ_CONFIDENTIALITY | Sspi.ASC_REQ_REPLAY_DETECT,
    client: (kind) => client(identities[kind]),
    account: { userName: right.user, domain: right.domain },
    other: { userName: other.user, client: () => client(other) },
    runs: 'NTLM',
    differences: { 'message protection': { because: 'WinPR 2 has no MakeSignature and no VerifySignature' } },
  });
  contractSuite(`Negotiate, ${name}`, open, ready);
}
