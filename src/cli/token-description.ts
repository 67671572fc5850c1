/**
 * Describes tokens of NTLM, SPNEGO and Kerberos for people. Nothing is verified. Responses, keys and checksums are
 * shown by their size only, because passwords can be guessed from them.
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import {
  decodeApRequest,
  encryptionTypeName,
  TOK_ID_AP_REP,
  TOK_ID_AP_REQ,
  TOK_ID_KRB_ERROR,
} from '../formats/kerberos/kerberos-token.ts';
import { isNtlmMessage } from '../formats/ntlm/message-field.ts';
import { describeNtlmMessage } from '../formats/ntlm/message-description.ts';
import type { NtlmMessageDescription, TargetInfoDescription } from '../formats/ntlm/message-description.ts';
import {
  OID_KERBEROS,
  OID_KERBEROS_MICROSOFT,
  OID_KERBEROS_USER_TO_USER,
  OID_NEGOEX,
  OID_NTLM,
  OID_SPNEGO,
} from '../formats/object-identifiers.ts';
import { decodeInitialToken, decodeNegotiationToken } from '../formats/spnego.ts';
import type { NegTokenInit, NegTokenResp } from '../formats/spnego.ts';
import type { DescribedField, Description } from './description.ts';

/** Names of mechanisms, by object identifier. */
const mechanismNames: ReadonlyMap<string, string> = new Map([
  [OID_SPNEGO, 'SPNEGO'],
  [OID_KERBEROS, 'Kerberos 5'],
  [OID_KERBEROS_MICROSOFT, 'Kerberos 5 (Microsoft)'],
  [OID_KERBEROS_USER_TO_USER, 'Kerberos 5 user-to-user'],
  [OID_NTLM, 'NTLM'],
  [OID_NEGOEX, 'NEGOEX'],
]);

/** negState by value, RFC 4178 section 4.2.2. */
const negotiationStates = ['accept-completed', 'accept-incomplete', 'reject', 'request-mic'] as const;

/** TOK_ID by value, RFC 4121 section 4.1. */
const kerberosMessages: ReadonlyMap<number, string> = new Map([
  [TOK_ID_AP_REQ, 'Kerberos AP-REQ'],
  [TOK_ID_AP_REP, 'Kerberos AP-REP'],
  [TOK_ID_KRB_ERROR, 'Kerberos KRB-ERROR'],
]);

/** First octet of an initial GSS token, RFC 2743 section 3.1, and of NegTokenResp, RFC 4178 section 4.2.2. */
const INITIAL_TOKEN = 0x60;
const NEG_TOKEN_RESP = 0xa1;

/** How many layers a token may have. SPNEGO contains a token of a mechanism; no client sends more layers than this. */
const MAX_LAYERS = 4;

/**
 * Describes a token.
 *
 * @throws MalformedTokenError if it is not of a known kind, or not complete
 */
export function describeToken(token: Uint8Array): Description {
  return describeLayer(token, 0);
}

function describeLayer(token: Uint8Array, layer: number): Description {
  if (layer > MAX_LAYERS) throw new MalformedTokenError('token', 'too many tokens inside each other');
  if (isNtlmMessage(token)) return describeNtlm(token);
  if (token[0] === INITIAL_TOKEN) return describeInitialToken(token, layer);
  if (token[0] === NEG_TOKEN_RESP) return describeNegotiation(decodeNegotiationToken(token), layer);
  throw new MalformedTokenError('token', 'begins like neither NTLM, SPNEGO nor Kerberos', 0);
}

function describeInitialToken(token: Uint8Array, layer: number): Description {
  const { mechanism, innerToken } = decodeInitialToken(token);
  if (mechanism === OID_SPNEGO) return describeNegotiation(decodeNegotiationToken(innerToken), layer);
  const named: DescribedField = { name: 'mechanism', text: mechanismName(mechanism) };
  if (mechanism !== OID_KERBEROS && mechanism !== OID_KERBEROS_MICROSOFT) {
    return { title: 'GSS token', highlights: [], fields: [named, sizeField('token', innerToken)] };
  }
  const [high = 0, low = 0] = innerToken;
  const tokenId = (high << 8) | low;
  const title = kerberosMessages.get(tokenId) ?? 'Kerberos token';
  const message = innerToken.subarray(2);
  const known = tokenId === TOK_ID_AP_REQ ? describeApRequest(message) : undefined;
  const { highlights, fields } = known ?? { highlights: [], fields: [sizeField('message', message)] };
  return { title, highlights, fields: [named, ...fields] };
}

/** The unencrypted fields of an AP-REQ; undefined if they cannot be read. */
function describeApRequest(message: Uint8Array): Omit<Description, 'title'> | undefined {
  try {
    const { ticket, ticketCipher, ...request } = decodeApRequest(message);
    const highlights = [`${ticket.serviceName}@${ticket.realm}`];
    if (request.useSessionKey) highlights.push('user-to-user');
    const options = [
      ...(request.useSessionKey ? ['use-session-key'] : []),
      ...(request.mutualRequired ? ['mutual-required'] : []),
    ];
    const fields: DescribedField[] = [
      { name: 'realm', text: ticket.realm },
      { name: 'service', text: ticket.serviceName },
      ...(ticket.keyVersion === undefined ? [] : [{ name: 'key version', text: String(ticket.keyVersion) }]),
      { name: 'ticket', text: encrypted(ticket.encryptionType, ticketCipher) },
      { name: 'authenticator', text: encrypted(request.sessionEncryptionType, request.authenticatorCipher) },
      { name: 'ap-options', names: options },
    ];
    return { highlights, fields };
  } catch (error) {
    if (error instanceof MalformedTokenError) return undefined;
    throw error;
  }
}

function encrypted(encryptionType: number, cipher: Uint8Array): string {
  return `${cipher.byteLength} bytes, ${encryptionTypeName(encryptionType)}`;
}

function describeNegotiation(token: NegTokenInit | NegTokenResp, layer: number): Description {
  const fields: DescribedField[] = [];
  const highlights: string[] = [];
  if (token.type === 'NegTokenInit') {
    fields.push({ name: 'mechTypes', names: token.mechTypes.map(mechanismName) });
    if (token.mechToken !== undefined) fields.push(innerField('mechToken', token.mechToken, layer));
  } else {
    const state = token.negState === undefined ? undefined : negotiationStates[token.negState];
    if (state !== undefined) {
      highlights.push(state);
      fields.push({ name: 'negState', text: state });
    }
    if (token.supportedMech !== undefined) {
      fields.push({ name: 'supportedMech', text: mechanismName(token.supportedMech) });
    }
    if (token.responseToken !== undefined) fields.push(innerField('responseToken', token.responseToken, layer));
  }
  if (token.mechListMic !== undefined) {
    highlights.push('mechListMIC');
    fields.push(sizeField('mechListMIC', token.mechListMic));
  }
  return { title: `SPNEGO ${token.type}`, highlights, fields };
}

/** A token inside a token. If it cannot be decoded, its size is given, so that the outer token can still be shown. */
function innerField(name: string, token: Uint8Array, layer: number): DescribedField {
  try {
    return { name, inner: describeLayer(token, layer + 1) };
  } catch (error) {
    if (error instanceof MalformedTokenError) return sizeField(name, token);
    throw error;
  }
}

function describeNtlm(bytes: Uint8Array): Description {
  const message = describeNtlmMessage(bytes);
  const title = `NTLM ${message.type}_MESSAGE`;
  switch (message.type) {
    case 'NEGOTIATE':
      return { title, highlights: ['type 1'], fields: negotiateFields(message) };
    case 'CHALLENGE':
      return { title, highlights: ['type 2'], fields: challengeFields(message) };
    case 'AUTHENTICATE': {
      const highlights = ['type 3'];
      if (message.response !== 'none') highlights.push(message.response);
      if (message.micPresent) highlights.push('MIC');
      if (message.clientInfo?.channelBindings !== undefined && !bindsNothing(message.clientInfo)) {
        highlights.push('channel bindings');
      }
      return { title, highlights, fields: authenticateFields(message) };
    }
  }
}

function negotiateFields(message: Extract<NtlmMessageDescription, { type: 'NEGOTIATE' }>): DescribedField[] {
  return [
    ...optional('domain', message.domain),
    ...optional('workstation', message.workstation),
    ...optional('version', message.version),
    { name: 'flags', names: message.flags },
  ];
}

function challengeFields(message: Extract<NtlmMessageDescription, { type: 'CHALLENGE' }>): DescribedField[] {
  const { targetInfo } = message;
  return [
    ...optional('target', message.targetName),
    { name: 'server challenge', text: message.serverChallenge },
    ...optional('version', message.version),
    ...(targetInfo === undefined ? [] : [pairsField('target info', targetInfo)]),
    { name: 'flags', names: message.flags },
  ];
}

function authenticateFields(message: Extract<NtlmMessageDescription, { type: 'AUTHENTICATE' }>): DescribedField[] {
  const { clientInfo, response, responseBytes, lmResponseBytes } = message;
  return [
    { name: 'user', text: message.userName === '' ? '(empty: anonymous)' : message.userName },
    { name: 'domain', text: message.domain === '' ? '(empty)' : message.domain },
    { name: 'workstation', text: message.workstation === '' ? '(empty)' : message.workstation },
    { name: 'NT response', text: `${response}, ${responseBytes} bytes` },
    { name: 'LM response', text: `${lmResponseBytes} bytes` },
    {
      name: 'MIC',
      text: message.micPresent
        ? 'present, over all three messages'
        : message.micPromised
          ? 'promised, missing'
          : 'absent',
    },
    { name: 'channel bindings', text: channelBindings(clientInfo) },
    { name: 'session key', text: message.sessionKeyExchanged ? "the client's own, encrypted" : 'derived' },
    ...optional('timestamp', message.timestamp),
    ...(clientInfo === undefined ? [] : [pairsField('target info', clientInfo)]),
    { name: 'flags', names: message.flags },
  ];
}

function bindsNothing({ channelBindings: bindings }: TargetInfoDescription): boolean {
  return bindings?.startsWith('none') === true;
}

function channelBindings(clientInfo: TargetInfoDescription | undefined): string {
  if (clientInfo?.channelBindings === undefined) return 'absent';
  return bindsNothing(clientInfo) ? 'none (all zero)' : 'present, 16 bytes';
}

/** AvId names of MS-NLMP section 2.2.2.1 in the order of their numbers. */
const pairNames = {
  nbComputerName: 'MsvAvNbComputerName',
  nbDomainName: 'MsvAvNbDomainName',
  dnsComputerName: 'MsvAvDnsComputerName',
  dnsDomainName: 'MsvAvDnsDomainName',
  dnsTreeName: 'MsvAvDnsTreeName',
  flags: 'MsvAvFlags',
  timestamp: 'MsvAvTimestamp',
  targetName: 'MsvAvTargetName',
  channelBindings: 'MsvAvChannelBindings',
} as const satisfies Readonly<Record<keyof TargetInfoDescription, string>>;

function pairsField(name: string, info: TargetInfoDescription): DescribedField {
  const fields: DescribedField[] = [];
  for (const key of Object.keys(pairNames) as (keyof typeof pairNames)[]) {
    const value = key === 'channelBindings' ? info[key] && channelBindings(info) : info[key];
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    fields.push({ name: pairNames[key], text: text === '' ? '(empty)' : text });
  }
  return { name, inner: { title: `${fields.length} AV pairs`, highlights: [], fields } };
}

function mechanismName(identifier: string): string {
  const name = mechanismNames.get(identifier);
  return name === undefined ? identifier : `${name} (${identifier})`;
}

function optional(name: string, text: string | undefined): readonly DescribedField[] {
  return text === undefined || text === '' ? [] : [{ name, text }];
}

function sizeField(name: string, bytes: Uint8Array): DescribedField {
  return { name, text: `${bytes.byteLength} bytes` };
}
