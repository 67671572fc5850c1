/** The hash of channel bindings in NTLM (MsvAvChannelBindings) and Kerberos (`Bnd`), RFC 4121 section 4.1.1.2. */
import { hash } from 'node:crypto';
import { packChannelBindings } from '../formats/channel-bindings.ts';
import type { ChannelBindings } from '../formats/channel-bindings.ts';

/** MD5 over the bindings, 16 bytes. The result is never sixteen zero bytes, which stand for no bindings. */
export function channelBindingsHash(bindings: ChannelBindings): Uint8Array {
  return hash('md5', packChannelBindings(bindings), 'buffer');
}
