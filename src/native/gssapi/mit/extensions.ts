/** The extensions of MIT krb5. It verifies replay, channel bindings and the encryption types of all keys itself. */
import type { GssapiExtensions } from '../call/extensions.ts';
import { clientTarget } from '../../../formats/kerberos/authenticator.ts';
import { inquire } from '../call/context-inquiry.ts';
import { withTargetName } from '../call/context-target.ts';
import type { Frame } from '../call/frame.ts';
import { GSS_C_CHANNEL_BOUND_FLAG, GSS_S_COMPLETE } from '../call/gss-status.ts';
import { sessionKeyType } from '../call/session-key.ts';
import { acquireFrom, storeInto } from './credential-store.ts';
import { ifRelevantOid, mitPac } from './pac.ts';
import { permittedTypes } from './permitted-types.ts';
import { checkReplayCache } from './replay-cache.ts';

/** Offsets of `principal` and `key` (a krb5_keyblock) in krb5_keytab_entry (krb5.h). */
const ENTRY_PRINCIPAL_OFFSET = 8;
const ENTRY_KEY_OFFSET = 24;

export const mitExtensions: GssapiExtensions = Object.freeze<GssapiExtensions>({
  checkSettings: checkReplayCache,
  acquireAcceptor(frame, keytab, { replayCache, encryptionTypes }) {
    const store = replayCache === undefined ? { keytab } : { keytab, rcache: replayCache };
    return acquireFrom(frame, store, encryptionTypes);
  },
  permittedTypes,
  verifyAccepted: () => undefined,
  // Never 'withheld': MIT krb5 itself refuses a token of a client that supports channel bindings and sends none.
  channelBinding: (frame) => ((frame.contextFlags & GSS_C_CHANNEL_BOUND_FLAG) !== 0 ? 'bound' : 'missing'),
  clientName: (frame) => principalText(frame, frame.sourceNameHandle),
  serviceName: (frame) => withTargetName(frame, (name) => principalText(frame, name)),
  clientTarget(frame) {
    for (const data of inquire(frame, frame.contextHandle, ifRelevantOid)) {
      const target = clientTarget(data);
      if (target !== undefined) return target;
    }
    return undefined;
  },
  messageKeyType: sessionKeyType,
  pac: mitPac,
  storeDelegated: (frame, credential, ccache) => storeInto(frame, credential, { ccache }),
  keytabPrincipal({ krb5, krb5Context, addressOf, text }, { bytes }) {
    const slot = Buffer.alloc(8);
    const principal = bytes.readBigUInt64LE(ENTRY_PRINCIPAL_OFFSET);
    if (krb5.unparseName(krb5Context, principal, addressOf(slot)) !== 0) return undefined;
    const address = slot.readBigUInt64LE(0);
    const name = text(address);
    krb5.freeUnparsedName(krb5Context, address);
    return name;
  },
  keytabKey: ({ address, bytes }) => ({
    encryptionType: bytes.readInt32LE(ENTRY_KEY_OFFSET + 4),
    keyblock: address + BigInt(ENTRY_KEY_OFFSET),
  }),
  keyblock(library, encryptionType, key) {
    // krb5_keyblock: magic, enctype, length, contents.
    const keyblock = Buffer.alloc(24);
    keyblock.writeInt32LE(encryptionType, 4);
    keyblock.writeUInt32LE(key.byteLength, 8);
    keyblock.writeBigUInt64LE(library.addressOf(key), 16);
    return keyblock;
  },
  decrypt(library, { encryptionType, keyblock }, usage, cipher) {
    const output = Buffer.alloc(cipher.byteLength);
    // krb5_enc_data: magic, enctype, kvno, then krb5_data: magic, length, data.
    const input = Buffer.alloc(32);
    input.writeInt32LE(encryptionType, 4);
    input.writeUInt32LE(cipher.byteLength, 20);
    input.writeBigUInt64LE(library.addressOf(cipher), 24);
    const data = Buffer.alloc(16);
    data.writeUInt32LE(output.byteLength, 4);
    data.writeBigUInt64LE(library.addressOf(output), 8);
    const { krb5, krb5Context } = library;
    const code = krb5.cDecrypt(krb5Context, keyblock, usage, null, library.addressOf(input), library.addressOf(data));
    return code === 0 ? output.subarray(0, data.readUInt32LE(4)) : undefined;
  },
});

/** A principal as krb5_unparse_name writes it. @param name gss_name_t of a context */
function principalText(frame: Frame, name: bigint): string | undefined {
  const major = frame.library.gss.displayName(frame.minor, name, frame.display, null);
  const text = frame.takeDisplayName();
  return major === GSS_S_COMPLETE ? text : undefined;
}
