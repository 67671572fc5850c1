/** Clients on raw connections: those of test/adapters/raw-clients.ts, and NTLM by WinPR. */
import { domain, users } from '../../adapters/raw-clients.ts';
import type { NtlmTokens } from '../../adapters/raw-clients.ts';
import { ISC_REQ_CONNECTION, WinprClient } from '../../lab/winpr.ts';

export * from '../../adapters/raw-clients.ts';

process.env['WLOG_LEVEL'] = 'OFF';

/** Tokens of WinPR's InitializeSecurityContextW. */
export function winprTokens(
  userName: string,
  password = users[userName] ?? '',
  channelBindings?: Uint8Array,
): NtlmTokens {
  const client = new WinprClient(
    'NTLM',
    { user: userName, domain, password },
    {
      requirements: ISC_REQ_CONNECTION,
      ...(channelBindings && { channelBindings }),
    },
  );
  return {
    first: () => client.next(undefined)!,
    last: (challenge) => client.next(challenge)!,
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
