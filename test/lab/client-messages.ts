/**
 * Last messages of clients, for a server that does not verify them: an AUTHENTICATE_MESSAGE and an AP-REQ in their right
 * form, with room for a script of the scripted SSPI library in them. Their proofs are worth nothing.
 */
import {
  applicationTag,
  contextTag,
  DER_BIT_STRING,
  DER_GENERAL_STRING,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derObjectIdentifier,
  derOctetString,
} from '../../src/formats/der.ts';
import { OID_KERBEROS } from '../../src/formats/object-identifiers.ts';
import { encodeChallengeMessage } from '../../src/formats/ntlm/challenge-message.ts';
import { authenticateMessage, encodePairs, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import type { ClientOptions } from '../packages/ntlm/ntlm-client.ts';

const scriptBytes = (script: string): Buffer => Buffer.from(script === '' ? '' : `SCRIPT:${script}\0`, 'latin1');

/** AvId of MsvAvFlags, MsvAvTargetName and MsvAvChannelBindings. */
export const avId = { flags: 6, targetName: 9, channelBindings: 10 } as const;

/** An AUTHENTICATE_MESSAGE of alice of the domain LAB. */
export function ntlmLastMessage(options: Partial<ClientOptions> = {}, script = ''): Uint8Array {
  const challenge = encodeChallengeMessage({
    flags: WINDOWS_FLAGS,
    serverChallenge: new Uint8Array(8),
    targetName: new Uint8Array(0),
    targetInfo: encodePairs([[0, new Uint8Array(0)]]),
    version: { major: 10, minor: 0, build: 0, revision: 15 },
  });
  const client = { userName: 'alice', domain: 'LAB', password: 'secret', trailing: scriptBytes(script), ...options };
  return authenticateMessage(negotiateMessage(WINDOWS_FLAGS), challenge, client).message;
}

const text = (value: string): Uint8Array => derElement(DER_GENERAL_STRING, Buffer.from(value));
const sequence = (...fields: readonly (readonly [tag: number, value: Uint8Array])[]): Uint8Array =>
  derElement(DER_SEQUENCE, ...fields.map(([tag, value]) => derElement(contextTag(tag), value)));

/** The clear part of a ticket. */
export interface TicketFields {
  readonly service?: readonly string[];
  readonly realm?: string;
  readonly encryptionType?: number;
  readonly keyVersion?: number;
}

/** An AP-REQ in the frame of GSS. Where its ciphertexts would be there is the script. */
export function kerberosToken(fields: TicketFields = {}, script = ''): Uint8Array {
  const { service = ['HTTP', 'web.lab.test'], realm = 'LAB.TEST', encryptionType = 18, keyVersion = 3 } = fields;
  const cipher = derOctetString(Buffer.concat([Buffer.alloc(64, 0xee), scriptBytes(script)]));
  const ticket = sequence(
    [0, derInteger(5)],
    [1, text(realm)],
    [2, sequence([0, derInteger(2)], [1, derElement(DER_SEQUENCE, ...service.map(text))])],
    [3, sequence([0, derInteger(encryptionType)], [1, derInteger(keyVersion)], [2, cipher])],
  );
  const request = sequence(
    [0, derInteger(5)],
    [1, derInteger(14)],
    [2, derElement(DER_BIT_STRING, Buffer.from('0000000000', 'hex'))],
    [3, derElement(applicationTag(1), ticket)],
    [4, sequence([0, derInteger(18)], [2, derOctetString(Buffer.alloc(64, 0xdd))])],
  );
  const message = derElement(applicationTag(14), request);
  return derElement(applicationTag(0), derObjectIdentifier(OID_KERBEROS), Buffer.of(1, 0), message);
}
