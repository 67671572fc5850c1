/** Says whose clock is wrong, from the times of a ticket. */
import * as Krb from '../formats/kerberos/error-code.ts';
import { krb5ErrorCode } from '../formats/kerberos/error-code.ts';
import { reason } from '../identity/reasons/reason.ts';

/** In milliseconds since 1970-01-01 UTC. */
export interface TicketTimes {
  /** When the client made its token, by its own clock. */
  readonly client: number;
  /** From when to when the ticket is valid, by the clock of the KDC. */
  readonly start: number;
  readonly end: number;
}

/** What is known of the times. */
export interface Times {
  readonly text: string;
  readonly times?: TicketTimes | undefined;
  readonly now: number;
}

/**
 * The text for a ticket whose times do not fit.
 *
 * @param minor KRB_AP_ERR_SKEW, KRB_AP_ERR_TKT_EXPIRED or KRB_AP_ERR_TKT_NYV, as libkrb5 writes it
 */
export function describeClocks(minor: number, service: string, { text, times, now }: Times): string {
  if (minor === krb5ErrorCode(Krb.KRB_AP_ERR_SKEW)) {
    if (times === undefined) return reason('clocks-differ', { detail: text });
    const seconds = Math.round((times.client - now) / 1000);
    return seconds < 0 ? reason('clock-behind', { seconds: -seconds }) : reason('clock-ahead', { seconds });
  }
  const expired = minor === krb5ErrorCode(Krb.KRB_AP_ERR_TKT_EXPIRED);
  if (times !== undefined) {
    const { client, start, end } = times;
    // Client and KDC agree: two clocks against the one of this server.
    const fields = { service, span: spanOf(now - client), now: timeOf(now), made: timeOf(client) };
    if (expired && client <= end) return reason('server-clock-ahead', { ...fields, end: timeOf(end) });
    if (!expired && client >= start) return reason('server-clock-behind', { ...fields, start: timeOf(start) });
  }
  return expired ? reason('ticket-expired', { service }) : reason('ticket-not-yet-valid', { service });
}

/** `2026-11-29 16:24:18 UTC`. */
function timeOf(milliseconds: number): string {
  return new Date(milliseconds)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

/** A span of time in the largest unit that fits twice: `12 hours`. */
function spanOf(milliseconds: number): string {
  const seconds = Math.abs(milliseconds) / 1000;
  const [size, unit] =
    seconds < 120
      ? [1, 'seconds']
      : seconds < 7200
        ? [60, 'minutes']
        : seconds < 172_800
          ? [3600, 'hours']
          : [86_400, 'days'];
  return `${Math.round(seconds / size)} ${unit}`;
}
