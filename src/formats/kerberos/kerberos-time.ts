/** KerberosTime, RFC 4120 section 5.2.3: a GeneralizedTime in UTC, in whole seconds. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { DER_GENERALIZED_TIME, derElement } from '../der.ts';

const form = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/** libkrb5 has times of 32 bits, and takes later ones than this (2106-02-07T06:28:15Z) for others. */
const LAST_OF_LIBKRB5 = 0xffff_ffff * 1000;
/** The end of the last year of four digits. */
export const LAST_KERBEROS_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * Reads the content of a KerberosTime.
 *
 * @param last time that is accepted, in milliseconds since 1970-01-01 UTC. A ticket must not seem to end later than it
 *   does for others
 * @returns milliseconds since 1970-01-01 UTC, whole seconds
 * @throws MalformedTokenError for another form, a day that its month does not have, and a time before 1970 or after the last
 */
export function decodeKerberosTime(content: Uint8Array, field: string, last: number = LAST_OF_LIBKRB5): number {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const match = form.exec(text);
  if (match !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
    const time = Date.UTC(year, month - 1, day, hour, minute, second);
    if (time >= 0 && time <= last && timeText(time) === text) return time;
  }
  throw new MalformedTokenError(field, 'is not a KerberosTime');
}

function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}

/**
 * The element of a KerberosTime.
 *
 * @param milliseconds since 1970-01-01 UTC, in a year of four digits. Fractions of a second are dropped
 */
export function encodeKerberosTime(milliseconds: number): Uint8Array {
  return derElement(DER_GENERALIZED_TIME, Buffer.from(timeText(milliseconds), 'latin1'));
}
