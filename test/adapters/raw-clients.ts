/** Clients on raw connections: NTLM and Digest by the test's own makers of messages, for what no real client sends. */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { memoryAccounts } from '../../src/index.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import type { RawConnection, RawRequest, RawResponse } from '../lab/raw-connection.ts';
import { answerChallenge } from '../packages/digest/digest-client.ts';
import type { AnswerOptions } from '../packages/digest/digest-client.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import type { ClientOptions } from '../packages/ntlm/ntlm-client.ts';
import type { Answer, RunningServer } from './servers.ts';

/** NetBIOS domain of the servers of these tests. */
export const domain = 'LAB';
export const users: Readonly<Record<string, string>> = { alice: 'Wonderland-7', bob: 'Builder-8' };
export const accounts = memoryAccounts(
  Object.entries(users).map(([userName, password]) => ({ userName, domain, password })),
);

/** The Authorization field of an NTLM token. */
export function ntlmField(token: Uint8Array): string {
  return `Authorization: NTLM ${Buffer.from(token).toString('base64')}`;
}

/** The token of a 401. */
export function challengeOf(response: RawResponse): Buffer {
  const field = response.headers.get('www-authenticate')?.find((value) => value.startsWith('NTLM '));
  assert.ok(field !== undefined, `no NTLM token in ${response.status} ${response.text.slice(0, 300)}`);
  return Buffer.from(field.slice(5), 'base64');
}

/** The application's answer: who it says the client is. */
export function whoIs(response: RawResponse): string | null {
  assert.equal(response.status, 200, response.text.slice(0, 300));
  return (JSON.parse(response.body) as Answer).user?.userName ?? null;
}

/** What makes the two tokens of an NTLM sign-in. */
export interface NtlmTokens extends Disposable {
  first(): Uint8Array;
  last(challenge: Uint8Array): Uint8Array;
}

/** Tokens of the test's own client, for faults that WinPR does not make. */
export function forgedTokens(options: Partial<ClientOptions>): NtlmTokens {
  const type1 = negotiateMessage(WINDOWS_FLAGS);
  const right = { userName: 'alice', domain, password: users['alice'] ?? '', mic: true };
  return {
    first: () => type1,
    last: (challenge) => authenticateMessage(type1, Uint8Array.from(challenge), { ...right, ...options }).message,
    [Symbol.dispose]: () => undefined,
  };
}

/** The first leg on a connection; gives the challenge. */
export async function begin(connection: RawConnection, tokens: NtlmTokens): Promise<Buffer> {
  return challengeOf(await connection.exchange({ fields: [ntlmField(tokens.first())] }));
}

/** Both legs on a connection; the answer to the last. */
export async function signIn(
  connection: RawConnection,
  tokens: NtlmTokens,
  request: RawRequest = {},
): Promise<RawResponse> {
  const challenge = await begin(connection, tokens);
  const fields = [...(request.fields ?? []), ntlmField(tokens.last(challenge))];
  return connection.exchange({ ...request, fields });
}

/** The Authorization field that answers the Digest challenge of a 401, SHA-256. */
export function digestField(response: RawResponse, options: AnswerOptions = {}): string {
  const challenge = response.headers
    .get('www-authenticate')
    ?.find((value) => value.startsWith('Digest ') && value.includes('SHA-256'));
  assert.ok(challenge !== undefined);
  const answer = answerChallenge(challenge.slice(7), {
    ...{ userName: 'alice', password: users['alice'] ?? '', uri: '/' },
    ...options,
  });
  return `Authorization: Digest ${answer}`;
}

/** Waits until the server has noticed what its clients did, then asserts that it holds nothing of theirs. */
export async function assertNothingLeft({ authenticator, contextsBefore }: RunningServer): Promise<void> {
  // A context that a handler may act with goes when the requests before it are answered.
  const holds = (): boolean => authenticator.pendingHandshakes > 0 || liveHandles().contexts > contextsBefore;
  for (let turns = 0; turns < 20_000 && holds(); turns++) await turn();
  assert.equal(authenticator.pendingHandshakes, 0);
  // The time of a handshake that another test file left open may end meanwhile.
  const { contexts } = liveHandles();
  assert.ok(contexts <= contextsBefore, `${contexts} contexts, ${contextsBefore} of them from before`);
}
