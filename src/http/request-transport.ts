/** Whether the client of a request has TLS, here or at a proxy before this server. */
import { hasTls } from './channel-bindings.ts';
import type { Exchange } from './exchange.ts';

/**
 * Whether a request came over TLS, by its connection or by what a proxy says (X-Forwarded-Proto, Forwarded of RFC 7239). A
 * client can write such a field itself, so this decides only about what that same client is sent.
 */
export function cameOverTls({ socket, rawHeaders }: Pick<Exchange, 'socket' | 'rawHeaders'>): boolean {
  if (hasTls(socket)) return true;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1] ?? '';
    switch ((rawHeaders[index] ?? '').toLowerCase()) {
      case ':scheme':
      case 'x-forwarded-proto':
      case 'x-forwarded-scheme':
        if (/^https\b/i.test(value)) return true;
        break;
      case 'x-forwarded-ssl':
        if (/^on$/i.test(value)) return true;
        break;
      case 'forwarded':
        if (/(^|[;,\s])proto="?https\b/i.test(value)) return true;
    }
  }
  return false;
}
