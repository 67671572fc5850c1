/** Writes credential cache files of MIT krb5 ("credential cache file format", version 4). All numbers are big-endian. */
import type { ForwardedCredential } from './krb-cred.ts';
import type { PrincipalParts } from './principal-parts.ts';

/** File format version 4. */
const VERSION = 0x0504;

function number(value: number, bytes: 1 | 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}

function counted(data: Uint8Array): Buffer {
  return Buffer.concat([number(data.byteLength, 4), data]);
}

function principal({ nameType, components, realm }: PrincipalParts): Buffer {
  return Buffer.concat([
    number(nameType >>> 0, 4),
    number(components.length, 4),
    counted(Buffer.from(realm)),
    ...components.map((component) => counted(Buffer.from(component))),
  ]);
}

function credential(entry: ForwardedCredential): Buffer {
  const time = (milliseconds: number): Buffer => number(Math.floor(milliseconds / 1000), 4);
  return Buffer.concat([
    principal(entry.client),
    principal(entry.server),
    number(entry.key.encryptionType & 0xffff, 2),
    counted(entry.key.value),
    time(entry.authTime),
    time(entry.startTime),
    time(entry.endTime),
    time(entry.renewTill),
    // is_skey: not a ticket of user-to-user authentication.
    number(0, 1),
    number(entry.flags, 4),
    number(entry.addresses.length, 4),
    ...entry.addresses.flatMap(({ type, address }) => [number(type & 0xffff, 2), counted(address)]),
    // No authorization data.
    number(0, 4),
    counted(entry.ticket),
    // No second ticket.
    counted(new Uint8Array(0)),
  ]);
}

/**
 * The bytes of a credential cache with one ticket, whose client is its default principal.
 *
 * @returns the caller wipes it: it has the session key
 */
export function encodeCredentialCache(entry: ForwardedCredential): Buffer {
  // No header fields.
  return Buffer.concat([number(VERSION, 2), number(0, 2), principal(entry.client), credential(entry)]);
}
