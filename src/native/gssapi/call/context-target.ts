/** The name of the acceptor in an established context: gss_inquire_context, RFC 2744 section 5.21. */
import type { Frame } from './frame.ts';
import { GSS_S_COMPLETE } from './gss-status.ts';

/**
 * Queries the context in the frame for its acceptor (targ_name), and has the name read.
 *
 * @param read is given the gss_name_t, which is released afterwards
 * @returns undefined if the library does not tell
 */
export function withTargetName<T>(frame: Frame, read: (name: bigint) => T): T | undefined {
  const { gss } = frame.library;
  frame.pointerValue = 0n;
  // prettier-ignore
  const major = gss.inquireContext(
    frame.minor, frame.contextHandle, null, frame.pointer, null, null, null, null, null,
  );
  const name = frame.pointerValue;
  if (name === 0n) return undefined;
  try {
    return major === GSS_S_COMPLETE ? read(name) : undefined;
  } finally {
    frame.pointerValue = name;
    gss.releaseName(frame.minor, frame.pointer);
  }
}
