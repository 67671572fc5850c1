/** The hash of channel bindings that NTLM (MsvAvChannelBindings) and Kerberos (`Bnd`) carry, RFC 4121 section 4.1.1.2. */
import { hash } from 'node:crypto';
import { packChannelBindings } from '../formats/channel-bindings.ts';
import type { ChannelBindings } from '../formats/channel-bindings.ts';

/** MD5 over the bindings, 16 bytes. Sixteen zero bytes stand for no bindings and are never the result. */
export function channelBindingsHash(bindings: ChannelBindings): Uint8Array {
  return hash('md5', packChannelBindings(bindings), 'buffer');
}
