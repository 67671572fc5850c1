/** EncryptMessage and DecryptMessage of packages that answer at once. */
import assert from 'node:assert/strict';
import * as Sspi from '../../src/sspi/index.ts';

/** An answer that was there at once. */
export function atOnce<T>(answer: T | Promise<T>): T {
  assert.ok(!(answer instanceof Promise), 'this package answers at once');
  return answer;
}

/** EncryptMessage. */
export function encryptNow(context: Sspi.ContextHandle, message: readonly Sspi.SecBuffer[]): Sspi.MessageAnswer {
  return atOnce(Sspi.encryptMessage(context, message));
}

/** DecryptMessage. */
export function decryptNow(context: Sspi.ContextHandle, message: readonly Sspi.SecBuffer[]): Sspi.MessageAnswer {
  return atOnce(Sspi.decryptMessage(context, message));
}
