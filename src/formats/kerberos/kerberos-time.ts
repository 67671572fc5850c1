/** KerberosTime, RFC 4120 section 5.2.3. */
import { MalformedTokenError } from '../../foundation/errors.ts';
import { DER_GENERALIZED_TIME } from '../der.ts';
import type { DerReader } from '../der.ts';
import { decodeUtf8 } from '../utf8.ts';

/**
 * Reads a KerberosTime.
 *
 * @param field its name, for errors
 * @param at where it stands, for errors
 * @returns milliseconds since 1970-01-01 UTC
 * @throws MalformedTokenError if it is not a KerberosTime
 */
export function kerberosTime(reader: DerReader, field: string, at?: number): number {
  const text = decodeUtf8(reader.content(DER_GENERALIZED_TIME, field), field);
  const form = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
  const time = new Date(form.test(text) ? text.replace(form, '$1-$2-$3T$4:$5:$6Z') : NaN);
  // A day that its month does not have, and the hour 24, would be read as the day after.
  if (Number.isNaN(time.getTime()) || time.toISOString().replaceAll(/[-:T]|\.000/g, '') !== text) {
    throw new MalformedTokenError(field, 'is not a KerberosTime', at);
  }
  return time.getTime();
}
