/** KerberosTime, RFC 4120 section 5.2.3: a GeneralizedTime in UTC, in whole seconds. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { DER_GENERALIZED_TIME, derElement } from '../der.ts';

const form = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/** libkrb5 has times of 32 bits: later ones than this (2106-02-07T06:28:15Z) it refuses. So does this library. */
const LAST = 0xffff_ffff * 1000;

/**
 * Reads the content of a KerberosTime.
 *
 * @returns milliseconds since 1970-01-01 UTC, whole seconds
 * @throws MalformedTokenError for another form, a day that its month does not have, and years before 1970 or after 2106
 */
export function decodeKerberosTime(content: Uint8Array, field: string): number {
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const match = form.exec(text);
  if (match !== null) {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
    const time = Date.UTC(year, month - 1, day, hour, minute, second);
    if (time >= 0 && time <= LAST && timeText(time) === text) return time;
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
