/** Recorded conversations of pyspnego and FreeRDP: every answer is made again, byte by byte. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { ntowfv2, ntowfv1, sessionBaseKey } from '../../../src/crypto/ntlm-keys.ts';
import { rc4 } from '../../../src/crypto/rc4.ts';
import { decodeTsRequest, encodeTsRequest } from '../../../src/formats/credssp/ts-request.ts';
import { dateOfFiletime } from '../../../src/formats/filetime.ts';
import { decodeAuthenticateMessage } from '../../../src/formats/ntlm/authenticate-message.ts';
import { decodeChallengeMessage } from '../../../src/formats/ntlm/challenge-message.ts';
import { decodeNtlmV2Response } from '../../../src/formats/ntlm/ntlmv2-response.ts';
import { credsspSettings } from '../../../src/packages/credssp/credssp-auth-data.ts';
import { CredSspExchange } from '../../../src/packages/credssp/credssp-exchange.ts';
import type { Step } from '../../../src/packages/credssp/credssp-exchange.ts';
import { negotiatePackage } from '../../../src/packages/negotiate/index.ts';
import { ntlmSettings } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import { NtlmContext } from '../../../src/packages/ntlm/ntlm-context.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type { AcceptCall, AcceptReply, PackageCredential, SecurityPackage } from '../../../src/sspi/index.ts';
import { credsspVectors } from '../../vectors/credssp-conversations.ts';
import type { RecordedConversation } from '../../vectors/credssp-conversations.ts';
import { clockAt } from '../ntlm/ntlm-server.ts';

const { domain, userName, password, subjectPublicKey } = credsspVectors;
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const ntlmIn = (bytes: Uint8Array): Uint8Array => {
  const at = Buffer.from(bytes).indexOf('NTLMSSP\0');
  assert.ok(at >= 0);
  return bytes.subarray(at);
};

/** The NTLM messages of a conversation. SPNEGO's mechListMIC follows the third one, whose own lengths do not reach it. */
function ntlmMessages({ messages }: RecordedConversation) {
  const tokens = messages.map(({ tsRequest }) => decodeTsRequest(bytesOf(tsRequest)).negoToken);
  const negotiateMessage = ntlmIn(tokens[0]!).slice(0, 40);
  const challenge = ntlmIn(tokens[1]!);
  const challengeMessage = challenge.slice(0, challengeLength(challenge));
  const authenticate = decodeAuthenticateMessage(ntlmIn(tokens[2]!));
  return { negotiateMessage, challengeMessage, authenticate };
}

/** Where the last field of a CHALLENGE_MESSAGE ends: that is TargetInfo. */
function challengeLength(challenge: Uint8Array): number {
  const view = new DataView(challenge.buffer, challenge.byteOffset);
  return view.getUint32(44, true) + view.getUint16(40, true);
}

/** NTLM that gives the recorded challenge, at the time of the recording. */
function recordedNtlm(conversation: RecordedConversation, secret: string): SecurityPackage {
  const { negotiateMessage, challengeMessage, authenticate } = ntlmMessages(conversation);
  const { timestamp } = decodeNtlmV2Response(authenticate.ntResponse);
  const settings = ntlmSettings({
    accounts: memoryAccounts([{ userName, domain, password: secret }]),
    domain,
    computerName: 'WEB',
    clock: clockAt(dateOfFiletime(timestamp).getTime()),
  });
  const { serverChallenge, flags } = decodeChallengeMessage(challengeMessage);
  const credential: PackageCredential = {
    accept: (): AcceptReply => ({
      status: Sspi.SEC_I_CONTINUE_NEEDED,
      context: new NtlmContext(settings, { negotiateMessage, challengeMessage, serverChallenge, flags }),
      output: [{ type: Sspi.SECBUFFER_TOKEN, data: challengeMessage }],
    }),
    free: () => undefined,
  };
  return { info: ntlmPackage.info, acquireCredentials: () => credential };
}

const call: AcceptCall = { input: [], requirements: Sspi.ASC_REQ_DELEGATE, targetDataRep: 0 };
const publicKey = bytesOf(subjectPublicKey);

/** An exchange with the recorded server's part of the conversation. */
async function exchangeOf(conversation: RecordedConversation, secret = password): Promise<CredSspExchange> {
  const version = decodeTsRequest(bytesOf(conversation.messages[1]!.tsRequest)).version;
  const packages = [{ package: recordedNtlm(conversation, secret) }];
  const settings = credsspSettings({
    schannel: { package: schannelPackage },
    negotiate: { package: negotiatePackage, authData: { packages } },
    delegation: true,
    minVersion: 2,
    maxVersion: version,
  });
  const parameters = { credentialUse: 'inbound', principal: undefined, authData: { packages } } as const;
  return new CredSspExchange(settings, await negotiatePackage.acquireCredentials(parameters));
}

const fromClient = ({ messages }: RecordedConversation): readonly Uint8Array[] =>
  messages.filter(({ from }) => from === 'client').map(({ tsRequest }) => bytesOf(tsRequest));
const fromServer = ({ messages }: RecordedConversation): readonly string[] =>
  messages.filter(({ from }) => from === 'server').map(({ tsRequest }) => tsRequest);

describe('recorded conversations of CredSSP', () => {
  it('there are five', () => assert.equal(credsspVectors.conversations.length, 5));

  for (const conversation of credsspVectors.conversations) {
    describe(conversation.client, () => {
      it('its key is made again from the password', () => {
        const { authenticate } = ntlmMessages(conversation);
        const responseKey = ntowfv2(ntowfv1(password), userName, domain);
        const base = sessionBaseKey(responseKey, authenticate.ntResponse.subarray(0, 16));
        assert.equal(hexOf(rc4(base, authenticate.encryptedRandomSessionKey)), conversation.exportedSessionKey);
      });

      it('every answer is the recorded one, and the password is given away', async () => {
        const exchange = await exchangeOf(conversation);
        const answers: string[] = [];
        let last: Step | undefined;
        for (const message of fromClient(conversation)) {
          last = await exchange.take(message, publicKey, call);
          if (last.answer !== undefined) answers.push(hexOf(encodeTsRequest(last.answer)));
        }
        assert.equal(Sspi.statusName(last!.status), 'SEC_E_OK', last?.diagnosis?.text);
        assert.deepEqual(answers, fromServer(conversation));
        const { context, delegated } = exchange.verified!;
        assert.equal(context.queryToken().value?.userName, userName);
        assert.deepEqual([delegated?.domain, delegated?.userName], [domain, userName]);
        assert.equal(delegated?.password.toString(), password);
        const kept = delegated.password;
        exchange.delete();
        assert.deepEqual(kept, Buffer.alloc(kept.byteLength));
        assert.equal(delegated.password.byteLength, 0);
      });

      it('with another password the third message is refused', async () => {
        const exchange = await exchangeOf(conversation, 'Secret2');
        const [first, third] = fromClient(conversation);
        await exchange.take(first!, publicKey, call);
        const { status, answer } = await exchange.take(third!, publicKey, call);
        assert.equal(Sspi.statusName(status), 'SEC_E_LOGON_DENIED');
        const version = decodeTsRequest(bytesOf(conversation.messages[1]!.tsRequest)).version;
        assert.deepEqual(answer, version === 6 ? { version: 6, errorCode: 0xc000006d } : undefined);
      });

      it('F03: with the key of another certificate pubKeyAuth is refused, before the credentials', async () => {
        const exchange = await exchangeOf(conversation);
        const [first, third, fifth] = fromClient(conversation);
        const other = Uint8Array.from(publicKey);
        other[20] = other[20]! ^ 1;
        await exchange.take(first!, other, call);
        assert.equal(Sspi.statusName((await exchange.take(third!, other, call)).status), 'SEC_E_BAD_BINDINGS');
        assert.equal(exchange.verified, undefined);
        assert.equal(Sspi.statusName((await exchange.take(fifth!, other, call)).status), 'SEC_E_INVALID_TOKEN');
      });
    });
  }
});
