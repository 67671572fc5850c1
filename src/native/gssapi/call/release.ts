/** Frees what a call of gss_accept_sec_context left in its frame. */
import type { Frame } from './frame.ts';

/** Frees the results of a call, except the context. */
export function releaseResults(frame: Frame): void {
  const { gss } = frame.library;
  frame.dropOutput();
  if (frame.sourceNameHandle !== 0n) gss.releaseName(frame.minor, frame.sourceName);
  if (frame.delegatedHandle !== 0n) gss.releaseCred(frame.minor, frame.delegated);
}

/** Frees the context of a call, if there is one. */
export function releaseContext(frame: Frame): void {
  if (frame.contextHandle !== 0n) frame.library.gss.deleteSecContext(frame.minor, frame.context, null);
}

/** Frees everything. */
export function releaseAll(frame: Frame): void {
  releaseResults(frame);
  releaseContext(frame);
}

/** Has the library free a gss_cred_id_t. */
export function releaseCredential(frame: Frame, handle: bigint): void {
  frame.pointerValue = handle;
  frame.library.gss.releaseCred(frame.minor, frame.pointer);
}
