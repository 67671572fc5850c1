/** What is told of a request that was asked for credentials in vain: to subscribers, and in the log. */
import type { ClientKind } from '../../http/request-fields.ts';
import type { UnansweredCause } from './likely-causes.ts';

/** A request that was asked for credentials, and whose client has sent none. */
export interface UnansweredRecord {
  /** Host of the request without its port, escaped; undefined if it had none. */
  readonly host: string | undefined;
  /** What kind of program it is, by its User-Agent. */
  readonly client: ClientKind;
  /** Escaped, and cut after 256 characters. */
  readonly userAgent: string | undefined;
  /** `address:port` of the connection. */
  readonly peer: string | undefined;
  /** The schemes that it was offered. */
  readonly offered: readonly string[];
  /** What may be the cause, the likeliest first. */
  readonly causes: readonly UnansweredCause[];
  /** The causes in words, each with what to do. */
  readonly diagnosis: string;
  /** How many requests of this client were asked in vain. */
  readonly requests: number;
}
