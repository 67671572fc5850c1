/** KerberosTime, RFC 4120 section 5.2.3: a GeneralizedTime in UTC, in whole seconds. Every ticket has four of them. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { DER_GENERALIZED_TIME, derElement } from '../der.ts';

/** `YYYYMMDDHHMMSSZ` */
const CONTENT_BYTES = 15;
const ZERO = 0x30;
const UTC = 0x5a;

/** libkrb5 has times of 32 bits, and takes later ones than this (2106-02-07T06:28:15Z) for others. */
const LAST_OF_LIBKRB5 = 0xffff_ffff * 1000;
/** The end of the last year of four digits. */
export const LAST_KERBEROS_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/** A number of `count` digits; NaN if one of them is none. */
function digits(content: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = at; index < at + count; index++) {
    const digit = (content[index] ?? 0) - ZERO;
    value = digit >= 0 && digit <= 9 ? value * 10 + digit : NaN;
  }
  return value;
}

/**
 * Reads the content of a KerberosTime.
 *
 * @param last time that is accepted, in milliseconds since 1970-01-01 UTC. A ticket must not seem to end later than it
 *   does for others
 * @returns milliseconds since 1970-01-01 UTC, whole seconds
 * @throws MalformedTokenError for another form, a day that its month does not have, and a time before 1970 or after the last
 */
export function decodeKerberosTime(content: Uint8Array, field: string, last: number = LAST_OF_LIBKRB5): number {
  const year = digits(content, 0, 4);
  const month = digits(content, 4, 2);
  const day = digits(content, 6, 2);
  const hour = digits(content, 8, 2);
  const minute = digits(content, 10, 2);
  const second = digits(content, 12, 2);
  const isOfForm = content.byteLength === CONTENT_BYTES && content[14] === UTC;
  // Each comparison is false for NaN.
  const isOfDay = day >= 1 && day <= daysOf(year, month) && hour <= 23 && minute <= 59 && second <= 59;
  // Date.UTC takes a year below 100 for one of the last century.
  const time = isOfForm && isOfDay && year >= 1970 ? Date.UTC(year, month - 1, day, hour, minute, second) : NaN;
  if (time <= last) return time;
  throw new MalformedTokenError(field, 'is not a KerberosTime');
}

/** How many days a month has; NaN for one that does not exist. */
function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  if (month === 4 || month === 6 || month === 9 || month === 11) return 30;
  return month >= 1 && month <= 12 ? 31 : NaN;
}

function writeDigits(content: Uint8Array, at: number, count: number, value: number): void {
  for (let index = at + count - 1, rest = value; index >= at; index--, rest = Math.floor(rest / 10)) {
    content[index] = ZERO + (rest % 10);
  }
}

/**
 * The content of a KerberosTime, 15 bytes.
 *
 * @param milliseconds since 1970-01-01 UTC, in a year of four digits. Fractions of a second are dropped
 */
export function kerberosTimeContent(milliseconds: number): Uint8Array {
  const date = new Date(milliseconds);
  const content = new Uint8Array(CONTENT_BYTES);
  writeDigits(content, 0, 4, date.getUTCFullYear());
  writeDigits(content, 4, 2, date.getUTCMonth() + 1);
  writeDigits(content, 6, 2, date.getUTCDate());
  writeDigits(content, 8, 2, date.getUTCHours());
  writeDigits(content, 10, 2, date.getUTCMinutes());
  writeDigits(content, 12, 2, date.getUTCSeconds());
  content[14] = UTC;
  return content;
}

/** The element of a KerberosTime. @param milliseconds as of kerberosTimeContent */
export function encodeKerberosTime(milliseconds: number): Uint8Array {
  return derElement(DER_GENERALIZED_TIME, kerberosTimeContent(milliseconds));
}
