/** Hands a token to the library. */
import type { Exchange } from '../../kerberos/exchange.ts';
import type { Frame } from './call/frame.ts';

/** Writes the parameters of a call into a frame. @returns the address of the channel bindings, or null */
export function prepare(frame: Frame, { token, bindings }: Exchange): bigint | null {
  frame.clear();
  frame.setToken(token);
  if (bindings === undefined) return null;
  const address = frame.setBindings(bindings);
  if (address === undefined) throw new RangeError('channel bindings are too large');
  return address;
}
