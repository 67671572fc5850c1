/**
 * Advice about the server of a connection, once for each server: Node's defaults stand in the way of integrated sign-on.
 * It is seen with the first request that is not one of a signed-in connection, because an adapter is given no server.
 */
import type { ConnectionSocket } from '../http/exchange.ts';
import { LEAST_HEADER_SIZE, LEAST_KEEP_ALIVE, serverSettingsOf } from '../http/server-settings.ts';
import { reason } from '../identity/reasons/reason.ts';
import type { Audit } from './audit.ts';
import type { OfferedScheme } from './offered-scheme.ts';

export class ServerAdvice {
  readonly #audit: Audit;
  readonly #seen = new WeakSet();
  /** A scheme is offered whose tokens may be tickets. */
  readonly #hasTickets: boolean;
  /** A scheme is offered whose sign-in lasts as long as its connection. */
  readonly #signsConnectionsIn: boolean;

  constructor(schemes: readonly OfferedScheme[], persistence: 'connection' | 'request', audit: Audit) {
    this.#audit = audit;
    this.#hasTickets = schemes.some(
      ({ name, packages, boundTo }) =>
        boundTo === 'connection' && name !== 'NTLM' && packages?.includes('Kerberos') !== false,
    );
    this.#signsConnectionsIn = persistence === 'connection' && schemes.some(({ boundTo }) => boundTo === 'connection');
  }

  /** Looks at the server of a connection, if it is new. */
  look(socket: ConnectionSocket): void {
    if (!this.#audit.hasLogger) return;
    const settings = serverSettingsOf(socket);
    if (settings === undefined || this.#seen.has(settings.server)) return;
    this.#seen.add(settings.server);
    const { maxHeaderSize: bytes, keepAliveTimeout: milliseconds } = settings;
    if (this.#hasTickets && bytes < LEAST_HEADER_SIZE) {
      this.#audit.advise('header-size-small', reason('header-size-small', { bytes, least: LEAST_HEADER_SIZE }));
    }
    // Zero: connections stay open.
    const isShort = milliseconds !== undefined && milliseconds !== 0 && milliseconds < LEAST_KEEP_ALIVE;
    if (this.#signsConnectionsIn && isShort) {
      this.#audit.advise('keep-alive-short', reason('keep-alive-short', { milliseconds, least: LEAST_KEEP_ALIVE }));
    }
  }
}
