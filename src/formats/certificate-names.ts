/**
 * Who a client's certificate is for: the names of its subjectAltName (RFC 5280 section 4.2.1.6) that Windows maps to an
 * account, and the SID that Active Directory's certification authority writes (MS-WCCE 2.2.2.7.7.4).
 */
import { MalformedTokenError } from '../foundation/errors.ts';
import { contextTag, DER_INTEGER, DER_OCTET_STRING, DER_SEQUENCE, DerReader, onlySequence } from './der.ts';
import { isSid } from './sid.ts';
import { decodeUtf8 } from './utf8.ts';

const SUBJECT_ALT_NAME = '2.5.29.17';
/** szOID_NTDS_CA_SECURITY_EXT, and szOID_NTDS_OBJECTSID inside it. */
const NTDS_CA_SECURITY = '1.3.6.1.4.1.311.25.2';
const NTDS_OBJECT_SID = '1.3.6.1.4.1.311.25.2.1';
/** szOID_NT_PRINCIPAL_NAME. */
const NT_PRINCIPAL_NAME = '1.3.6.1.4.1.311.20.2.3';
/** The SID as a URI of the subjectAltName, as KB5014754 has it. */
const SID_URI = 'tag:microsoft.com,2022-09-14:sid:';

const DER_BOOLEAN = 0x01;
const DER_UTF8_STRING = 0x0c;
const OTHER_NAME = contextTag(0);
const RFC822_NAME = 0x81;
const DNS_NAME = 0x82;
const UNIFORM_RESOURCE_IDENTIFIER = 0x86;

/** Names of a certificate. */
export interface CertificateNames {
  /** User principal name, such as `alice@test.local`. */
  readonly userPrincipalName?: string | undefined;
  /** Security identifier of the account, `S-1-…`. */
  readonly sid?: string | undefined;
  readonly dnsNames: readonly string[];
  readonly emailAddresses: readonly string[];
}

interface Found {
  userPrincipalName?: string;
  sid?: string;
  readonly dnsNames: string[];
  readonly emailAddresses: string[];
}

/**
 * Reads the names.
 *
 * @param certificate DER, as Node gives it: OpenSSL has already checked its form
 * @throws MalformedTokenError if the certificate is not canonical DER, has an extension twice, two principal names, or
 *   SIDs that differ: an account that is ambiguous is none
 */
export function certificateNames(certificate: Uint8Array): CertificateNames {
  const found: Found = { dnsNames: [], emailAddresses: [] };
  const extensions = extensionsOf(certificate);
  const seen = new Set<string>();
  while (extensions !== undefined && extensions.remaining > 0) {
    const extension = extensions.enter(DER_SEQUENCE, 'Extension');
    const identifier = extension.objectIdentifier('extnID');
    if (seen.has(identifier)) throw new MalformedTokenError('extnID', `${identifier} is there twice`);
    seen.add(identifier);
    if (extension.peek() === DER_BOOLEAN) extension.content(DER_BOOLEAN, 'critical');
    const value = extension.content(DER_OCTET_STRING, 'extnValue');
    if (identifier === SUBJECT_ALT_NAME || identifier === NTDS_CA_SECURITY) readNames(value, identifier, found);
  }
  return Object.freeze(found);
}

/** TBSCertificate, RFC 5280 section 4.1. */
function extensionsOf(certificate: Uint8Array): DerReader | undefined {
  const outer = onlySequence(new DerReader(certificate), 'Certificate');
  const fields = outer.enter(DER_SEQUENCE, 'tbsCertificate');
  fields.enterOptional(contextTag(0), 'version');
  fields.content(DER_INTEGER, 'serialNumber');
  for (const name of ['signature', 'issuer', 'validity', 'subject', 'subjectPublicKeyInfo']) {
    fields.element(DER_SEQUENCE, name);
  }
  for (const tag of [0x81, 0x82]) if (fields.peek() === tag) fields.element(tag, 'uniqueID');
  const explicit = fields.enterOptional(contextTag(3), 'extensions');
  return explicit === undefined ? undefined : onlySequence(explicit, 'extensions');
}

/** GeneralNames. The extension of Active Directory has the same form, and only otherName in it. */
function readNames(value: Uint8Array, extension: string, found: Found): void {
  const names = onlySequence(new DerReader(value), 'GeneralNames');
  for (let tag = names.peek(); tag !== undefined; tag = names.peek()) {
    if (tag === OTHER_NAME) readOtherName(names.enter(OTHER_NAME, 'otherName'), extension, found);
    else if (extension === SUBJECT_ALT_NAME) readName(tag, names.content(tag, 'GeneralName'), found);
    else names.element(tag, 'GeneralName');
  }
}

function readName(tag: number, content: Uint8Array, found: Found): void {
  const text = Buffer.from(content).toString('latin1');
  if (tag === DNS_NAME) found.dnsNames.push(text);
  if (tag === RFC822_NAME) found.emailAddresses.push(text);
  if (tag === UNIFORM_RESOURCE_IDENTIFIER && text.startsWith(SID_URI)) addSid(text.slice(SID_URI.length), found);
}

/** The SID counts only where the certification authority writes it, the principal name only in the subjectAltName. */
function readOtherName(name: DerReader, extension: string, found: Found): void {
  const identifier = name.objectIdentifier('type-id');
  const value = name.enter(contextTag(0), 'value');
  if (extension === NTDS_CA_SECURITY && identifier === NTDS_OBJECT_SID) {
    addSid(Buffer.from(value.content(DER_OCTET_STRING, 'objectSid')).toString('latin1'), found);
  }
  if (extension === SUBJECT_ALT_NAME && identifier === NT_PRINCIPAL_NAME) {
    if (found.userPrincipalName !== undefined) throw new MalformedTokenError('otherName', 'has two principal names');
    found.userPrincipalName = decodeUtf8(value.content(DER_UTF8_STRING, 'principalName'), 'principalName');
  }
}

function addSid(sid: string, found: Found): void {
  if (!isSid(sid)) throw new MalformedTokenError('objectSid', 'is not a security identifier');
  if (found.sid !== undefined && found.sid !== sid) throw new MalformedTokenError('objectSid', 'names two accounts');
  found.sid = sid;
}

/**
 * The public key of a certificate as RFC 5280 has it in subjectPublicKey: an RSAPublicKey, a point of a curve.
 *
 * @param certificate DER
 * @returns the content of the BIT STRING without its first byte (unused bits)
 */
export function subjectPublicKey(certificate: Uint8Array): Uint8Array {
  const fields = onlySequence(new DerReader(certificate), 'Certificate').enter(DER_SEQUENCE, 'tbsCertificate');
  fields.enterOptional(contextTag(0), 'version');
  fields.content(DER_INTEGER, 'serialNumber');
  for (const name of ['signature', 'issuer', 'validity', 'subject']) fields.element(DER_SEQUENCE, name);
  const info = fields.enter(DER_SEQUENCE, 'subjectPublicKeyInfo');
  info.element(DER_SEQUENCE, 'algorithm');
  return info.bitString('subjectPublicKey').bytes;
}
